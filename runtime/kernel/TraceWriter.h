// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TraceWriter.h - the timeline of a run for Chrome and Perfetto ------===//
//
// Writes the Trace Event Format (JSON) that chrome://tracing and ui.perfetto.dev open. Events go to
// the file as they come: memory does not grow with the length of the run.
//
#ifndef SPARSAM_RUNTIME_KERNEL_TRACEWRITER_H
#define SPARSAM_RUNTIME_KERNEL_TRACEWRITER_H

#include "runtime/io/File.h"
#include "runtime/kernel/Units.h"
#include "runtime/support/Result.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sparsam::runtime {

class TraceWriter {
public:
  static Result<std::unique_ptr<TraceWriter>> create(const std::string &path);

  /// Clock of the events that follow, and where in the run (in microseconds) their cycle 0 lies.
  void setTime(double clockMhz, double originMicroseconds);

  /// Declares a process ("sanger", "host"), or finds it by its name.
  int addProcess(const std::string &name);
  /// Declares a thread (a unit) of a process, or finds it by its name; unique over all processes.
  int addThread(int process, const std::string &name);

  /// One occupation of a unit, in cycles of the clock.
  void addEvent(int thread, std::string_view label, Cycle start, Cycle duration);
  /// The same in microseconds from the start of the run, for what has no clock.
  void addEvent(int thread, std::string_view label, double startMicroseconds, double microseconds);

  /// Completes the file and gives it its name. Errors of earlier writes are reported here.
  Status finish();

private:
  TraceWriter() = default;
  void write(std::string_view text);
  void flush();

  struct Thread {
    int process;
    std::string name;
  };
  std::unique_ptr<OutputFile> file_;
  std::string buffer_;
  Status status_;
  double microsecondsPerCycle_ = 1e-3, origin_ = 0;
  std::vector<std::string> processes_;
  std::vector<Thread> threads_;
  bool isFirst_ = true;
};

} // namespace sparsam::runtime

#endif // SPARSAM_RUNTIME_KERNEL_TRACEWRITER_H
