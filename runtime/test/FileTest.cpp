// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FileTest.cpp - mapped input and whole-or-nothing output ------------===//

#include "runtime/io/File.h"

#include "runtime/test/TestFiles.h"

#include <sys/stat.h>

using namespace sparsam::runtime;

using Files = FileTest;

TEST_F(Files, maps_what_is_there) {
  auto file = MappedFile::open(write("a", "hello"));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(std::string((*file)->bytes().begin(), (*file)->bytes().end()), "hello");
  auto empty = MappedFile::open(write("b", ""));
  ASSERT_TRUE(empty.ok());
  EXPECT_TRUE((*empty)->bytes().empty());
}

TEST_F(Files, says_why_it_cannot_read) {
  EXPECT_EQ(message(MappedFile::open(path("missing"))),
            "cannot open " + path("missing") + ": No such file or directory");
  EXPECT_EQ(message(MappedFile::open(path(""))),
            "cannot read " + path("") + ": it is not a regular file");
}

TEST_F(Files, leaves_nothing_without_commit) {
  {
    auto file = OutputFile::create(path("out"));
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE((*file)->write("half").ok());
    EXPECT_EQ((*file)->position(), 4u);
    EXPECT_NE(list(), std::vector<std::string>{"out"});
  }
  EXPECT_TRUE(list().empty());
}

TEST_F(Files, keeps_the_old_file_until_commit) {
  write("out", "old");
  auto file = OutputFile::create(path("out"));
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->write("new").ok());
  EXPECT_EQ(read("out"), "old");
  ASSERT_TRUE((*file)->commit().ok());
  EXPECT_EQ(read("out"), "new");
  EXPECT_EQ(list(), std::vector<std::string>{"out"});
}

TEST_F(Files, keeps_permissions_of_the_old_file) {
  chmod(write("out", "old").c_str(), 0640);
  ASSERT_TRUE(writeTextFile(path("out"), "new").ok());
  struct stat info;
  ASSERT_EQ(stat(path("out").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST_F(Files, writes_through_links) {
  write("target", "old");
  std::filesystem::create_symlink(path("target"), path("link"));
  ASSERT_TRUE(writeTextFile(path("link"), "new").ok());
  EXPECT_EQ(read("target"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
}

TEST_F(Files, does_not_replace_devices) {
  ASSERT_TRUE(writeTextFile("/dev/null", "gone").ok());
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(Files, says_why_it_cannot_write) {
  EXPECT_EQ(message(writeTextFile(path("no/out"), "x")),
            "cannot write " + path("no/out") + ": No such file or directory");
  std::filesystem::create_directory(path("folder"));
  EXPECT_EQ(message(writeTextFile(path("folder"), "x")),
            "cannot write " + path("folder") + ": it is a folder");
}
