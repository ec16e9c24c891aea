// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TraceWriter.cpp - the timeline of a run for Chrome and Perfetto ----===//

#include "runtime/kernel/TraceWriter.h"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace sparsam::runtime {

/// Text is handed to the file in pieces of this size.
static constexpr size_t kFlushBytes = 1 << 16;

/// `text` as a JSON string; bytes that are not UTF-8 are replaced.
static std::string jsonText(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::unique_ptr<TraceWriter>> TraceWriter::create(const std::string &path) {
  auto file = OutputFile::create(path);
  if (!file)
    return file.error();
  std::unique_ptr<TraceWriter> writer(new TraceWriter());
  writer->file_ = file.take();
  writer->buffer_ = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  return writer;
}

void TraceWriter::setTime(double clockMhz, double originMicroseconds) {
  microsecondsPerCycle_ = clockMhz > 0 ? 1 / clockMhz : 1;
  origin_ = originMicroseconds;
}

int TraceWriter::addProcess(const std::string &name) {
  for (size_t i = 0; i < processes_.size(); ++i)
    if (processes_[i] == name)
      return int(i);
  int process = int(processes_.size());
  processes_.push_back(name);
  write("{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":" + std::to_string(process) +
        ",\"args\":{\"name\":" + jsonText(name) + "}}");
  return process;
}

int TraceWriter::addThread(int process, const std::string &name) {
  for (size_t i = 0; i < threads_.size(); ++i)
    if (threads_[i].process == process && threads_[i].name == name)
      return int(i);
  int thread = int(threads_.size());
  threads_.push_back({process, name});
  write("{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":" + std::to_string(process) +
        ",\"tid\":" + std::to_string(thread) + ",\"args\":{\"name\":" + jsonText(name) + "}}");
  return thread;
}

void TraceWriter::addEvent(int thread, std::string_view label, Cycle start, Cycle duration) {
  addEvent(thread, label, origin_ + double(start.value) * microsecondsPerCycle_,
           double(duration.value) * microsecondsPerCycle_);
}

void TraceWriter::addEvent(int thread, std::string_view label, double start, double microseconds) {
  char numbers[128];
  std::snprintf(numbers, sizeof numbers, ",\"pid\":%d,\"tid\":%d,\"ts\":%.6f,\"dur\":%.6f}",
                threads_[size_t(thread)].process, thread, start, microseconds);
  write("{\"ph\":\"X\",\"name\":" + jsonText(label) + numbers);
}

void TraceWriter::write(std::string_view text) {
  buffer_ += isFirst_ ? "\n" : ",\n";
  isFirst_ = false;
  buffer_ += text;
  if (buffer_.size() >= kFlushBytes)
    flush();
}

void TraceWriter::flush() {
  if (status_)
    status_ = file_->write(std::string_view(buffer_));
  buffer_.clear();
}

Status TraceWriter::finish() {
  buffer_ += "\n]}\n";
  flush();
  return status_ ? file_->commit() : status_;
}

} // namespace sparsam::runtime
