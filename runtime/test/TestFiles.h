// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TestFiles.h - a folder of its own for each test --------------------===//
#ifndef SPARSAM_RUNTIME_TEST_TESTFILES_H
#define SPARSAM_RUNTIME_TEST_TESTFILES_H

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <unistd.h>

namespace sparsam::runtime {

/// Fixture with a folder that is empty at the start and removed at the end of the test.
class FileTest : public testing::Test {
protected:
  void SetUp() override {
    const testing::TestInfo *info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ =
        std::filesystem::temp_directory_path() / ("sparsam-" + std::to_string(getpid()) + "-" +
                                                  info->test_suite_name() + "." + info->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string &name) const { return (folder_ / name).string(); }
  std::string write(const std::string &name, const std::string &bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  std::string read(const std::string &name) const {
    std::ifstream file(path(name), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  std::vector<std::string> list() const {
    std::vector<std::string> names;
    for (const auto &entry : std::filesystem::directory_iterator(folder_))
      names.push_back(entry.path().filename().string());
    return names;
  }

private:
  std::filesystem::path folder_;
};

/// Message of a Result that must have failed.
template <typename R> std::string message(const R &result) {
  return result.ok() ? std::string("(no error)") : result.error().message;
}

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_TEST_TESTFILES_H
