// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- GenerateCommand.cpp - sparsam generate -----------------------------===//

#include "tools/sparsam/Common.h"
#include "tools/sparsam/Decoder.h"

#include "runtime/io/Npy.h"
#include "runtime/program/Program_generated.h"
#include "runtime/report/Report.h"
#include "runtime/report/Table.h"
#include "runtime/support/Parallel.h"

#include <chrono>

namespace sparsam::driver {

namespace {

/// What of a report is said of every step.
constexpr const char *kCosts[] = {"cycles", "seconds", "energy_picojoules", "dram_read_bytes",
                                  "dram_written_bytes"};

class GenerateCommand : public Command {
public:
  explicit GenerateCommand(CLI::App &command) {
    command.add_option("program", program_, "Program that decodes one token in a run")
        ->required()
        ->type_name("FILE.spx");
    inputs_.addTo(command, "Tokens, and caches to start from");
    command.add_option("--steps", steps_, "Runs behind the prompt, a token each")
        ->required()
        ->check(CLI::Range(1, 1 << 24));
    command
        .add_option("--prompt-program", promptProgram_,
                    "The model compiled for the whole prompt (--cache NAME=0); without it, the "
                    "prompt is fed token by token")
        ->type_name("FILE.spx");
    command.add_option("-o,--output", output_, "Where tokens and logits go")->type_name("FILE.npz");
    command.add_option("--save-state", state_, "Where the caches go, as inputs to go on from")
        ->type_name("FILE.npz");
    command.add_option("--mode", mode_, "full: with cycles; functional: tokens alone")
        ->check(CLI::IsMember({"full", "functional"}));
    command.add_option("--threads", threads_, "Threads (default: one per processor)")
        ->check(CLI::Range(1, 1024));
    command.add_option("--token-input", names_.tokens, "Name of the input for tokens")
        ->capture_default_str()
        ->group("Names");
    command.add_option("--position-input", names_.positions, "Name of the input for positions")
        ->capture_default_str()
        ->group("Names");
    command.add_option("--logits-output", names_.logits, "Name of the output with logits")
        ->capture_default_str()
        ->group("Names");
    addJson(command);
  }

  Status run() override {
    auto start = std::chrono::steady_clock::now();
    std::vector<NamedFile> read = inputs_.paths();
    read.insert(read.end(), {{"the program", program_}, {"the program", promptProgram_}});
    if (Status status = checkOutputs({{"-o", output_}, {"--save-state", state_}}, read); !status)
      return status;
    runtime::setThreadCount(threads_);
    auto session = open(program_);
    if (!session)
      return session.error();
    auto given = readInputs();
    if (!given)
      return given.error();
    Json report = {
        {"program", program_}, {"target", targetOf(**session)}, {"tokens", Json::array()}};
    if (Status status = decode(**session, given.take(), report); !status)
      return status;
    if (Status status = write(**session, report); !status)
      return status;
    report["total"]["wall_seconds"] = secondsSince(start);
    print(report, [&] { return format(report); });
    return Status();
  }

private:
  static Result<std::unique_ptr<runtime::Session>> open(const std::string &path) {
    auto program = runtime::Program::load(path);
    if (!program)
      return program.error();
    return createSession(program.take());
  }

  static std::string targetOf(const runtime::Session &session) {
    const auto *target = session.program().table().target();
    return target ? target->str() : "";
  }

  /// The inputs without the tokens, which go to `tokens_`.
  Result<runtime::TensorMap> readInputs() {
    auto inputs = inputs_.read();
    if (!inputs)
      return inputs.error();
    auto it = inputs->find(names_.tokens);
    if (it == inputs->end())
      return makeError("needs tokens to start from: an input '", names_.tokens, "' [1, n]");
    auto tokens = toTokens(names_.tokens, it->second);
    if (!tokens)
      return tokens.error();
    tokens_ = tokens.take();
    inputs->erase(it);
    return inputs;
  }

  Status decode(runtime::Session &session, runtime::TensorMap given, Json &report) {
    runtime::RunOptions options;
    options.mode = mode_ == "functional" ? runtime::RunMode::functional : runtime::RunMode::full;
    int64_t next = tokens_.as<int64_t>()[tokens_.elements() - 1];
    if (!promptProgram_.empty())
      if (Status status = runPrompt(given, options, next, report); !status)
        return status;
    if (!promptProgram_.empty())
      warnOfMissingScores(session, given);
    options.returnState = false;
    Decoder decoder(session, names_, std::move(given));
    if (Status status = decoder.prepare(); !status)
      return status;
    // All tokens but the last one lead up to the first step.
    for (int64_t i = 0; promptProgram_.empty() && i + 1 < tokens_.elements(); ++i) {
      auto fed =
          runStep(decoder, session, tokens_.as<int64_t>()[i], options,
                  "prompt " + std::to_string(i + 1) + "/" + std::to_string(tokens_.elements()));
      if (!fed)
        return fed.error();
      report["prompt"].push_back(std::move(fed->second));
    }
    for (unsigned i = 0; i < steps_; ++i) {
      auto step = runStep(decoder, session, next, options,
                          "step " + std::to_string(i + 1) + "/" + std::to_string(steps_));
      if (!step)
        return step.error();
      next = step->first;
      report["tokens"].push_back(next);
      report["steps"].push_back(std::move(step->second));
    }
    addTotal(report);
    return Status();
  }

  /// Runs the program for the prompt; its caches become inputs of the other.
  Status runPrompt(runtime::TensorMap &given, const runtime::RunOptions &options, int64_t &next,
                   Json &report) {
    auto session = open(promptProgram_);
    if (!session)
      return session.error();
    showProgress("prompt of " + std::to_string(tokens_.elements()) + " tokens");
    auto start = std::chrono::steady_clock::now();
    Decoder decoder(**session, names_, given);
    auto result = decoder.prompt(tokens_, options);
    if (!result)
      return makeError(promptProgram_, ": ", result.error().message);
    next = result->token;
    report["tokens"].push_back(next);
    report["prompt"].push_back(
        describe(**session, *result, options, tokens_.elements(), secondsSince(start)));
    for (auto &[name, tensor] : result->result.outputs)
      if (name != names_.logits)
        given[name] = tensor;
    return Status();
  }

  /// A prompt compiled without pruning hands over no importance.
  void warnOfMissingScores(const runtime::Session &session, const runtime::TensorMap &given) const {
    if (!session.hasState())
      return;
    for (const auto *state : *session.program().table().cache()->states())
      if (state->input()->string_view().starts_with("sparsam.") &&
          !given.count(state->output()->str()))
        printWarning(promptProgram_ + " returns no '" + state->output()->str() +
                     "': rankings start from zeros; compile it with the pruning settings of " +
                     program_);
  }

  /// The token that comes next, and what it cost.
  Result<std::pair<int64_t, Json>> runStep(Decoder &decoder, runtime::Session &session,
                                           int64_t token, const runtime::RunOptions &options,
                                           const std::string &progress) {
    showProgress(progress);
    auto start = std::chrono::steady_clock::now();
    auto decoded = decoder.step(token, options);
    if (!decoded)
      return makeError(progress, ": ", decoded.error().message);
    const double seconds = secondsSince(start);
    logits_.push_back(decoded->result.outputs.at(names_.logits));
    return std::pair(decoded->token,
                     describe(session, *decoded, options, session.length(), seconds));
  }

  Json describe(const runtime::Session &session, const Decoded &decoded,
                const runtime::RunOptions &options, int64_t length, double seconds) const {
    Json report = makeReport(decoded.result, options.mode, session.program(), session.arch());
    Json step = {{"token", decoded.token}, {"length", length}};
    for (const char *cost : kCosts)
      if (report["accelerator"].contains(cost))
        step[cost] = report["accelerator"][cost];
    step["host_seconds"] = report["host"]["seconds"];
    step["simulation_seconds"] = seconds;
    return step;
  }

  static void addTotal(Json &report) {
    Json total = {{"steps", report["steps"].size()}};
    for (const Json &step : report["steps"])
      for (const auto &[name, value] : step.items())
        if (name != "token" && name != "length")
          total[name] = total.contains(name) && value.is_number_integer()
                            ? Json(total[name].get<int64_t>() + value.get<int64_t>())
                            : Json(total.value(name, 0.0) + value.get<double>());
    report["total"] = std::move(total);
  }

  Status write(const runtime::Session &session, const Json &report) const {
    if (!output_.empty()) {
      const std::vector<int64_t> values = report["tokens"];
      runtime::Tensor tokens(runtime::DType::i64, {int64_t(values.size())});
      std::copy(values.begin(), values.end(), tokens.as<int64_t>());
      if (Status status =
              runtime::writeNpz(output_, {{"tokens", tokens}, {"logits", joinLogits()}});
          !status)
        return status;
    }
    if (state_.empty())
      return Status();
    runtime::TensorMap outputs = session.state(), state;
    for (const auto *kept : *session.program().table().cache()->states())
      state[kept->input()->str()] = outputs.at(kept->output()->str());
    runtime::Tensor next(runtime::DType::i64, {1, 1});
    *next.as<int64_t>() = report["tokens"].back();
    state[names_.tokens] = next;
    return runtime::writeNpz(state_, state);
  }

  /// Those of the steps, [steps, vocabulary].
  runtime::Tensor joinLogits() const {
    const int64_t width = logits_.back().shape().back();
    runtime::Tensor joined(runtime::DType::f32, {int64_t(steps_), width});
    const size_t first = logits_.size() - steps_;
    for (size_t i = 0; i < steps_; ++i)
      std::copy_n(logits_[first + i].as<float>() + logits_[first + i].elements() - width, width,
                  joined.as<float>() + int64_t(i) * width);
    return joined;
  }

  static std::string format(const Json &report) {
    const bool hasCycles = report["total"].value("cycles", int64_t(0)) > 0;
    std::vector<std::string> titles = {"step", "token", "length"};
    if (hasCycles)
      titles.insert(titles.end(), {"cycles", "time", "energy", "DRAM read"});
    titles.insert(titles.end(), {"host (modelled)", "simulated in"});
    runtime::Table table(titles);
    auto add = [&](const std::string &name, const Json &step) {
      auto number = [&](const char *key) { return step.contains(key) ? step[key].dump() : ""; };
      std::vector<std::string> row = {name, number("token"), number("length")};
      if (hasCycles)
        row.insert(row.end(), {runtime::groupDigits(step["cycles"].get<long long>()),
                               runtime::formatSeconds(step["seconds"]),
                               runtime::formatPicojoules(step["energy_picojoules"]),
                               runtime::formatBytes(step["dram_read_bytes"])});
      row.insert(row.end(), {runtime::formatSeconds(step["host_seconds"]),
                             runtime::formatSeconds(step["simulation_seconds"])});
      table.addRow(row);
    };
    for (size_t i = 0; i < report["steps"].size(); ++i)
      add(std::to_string(i + 1), report["steps"][i]);
    add("total", report["total"]);
    std::string tokens;
    for (const Json &token : report["tokens"])
      tokens += " " + token.dump();
    return "tokens" + tokens + "\n\n" + table.toString();
  }

  std::string program_, promptProgram_, output_, state_, mode_ = "full";
  InputOptions inputs_;
  DecoderNames names_;
  unsigned steps_ = 0, threads_ = 0;
  runtime::Tensor tokens_;
  std::vector<runtime::Tensor> logits_;
};

} // namespace

void addGenerate(CLI::App &app) {
  addCommand<GenerateCommand>(
      app, "generate", "Decode token by token, greedily, with caches that stay in place",
      "  sparsam compile gpt2.onnx --cache past=1024 --shape input_ids=1x1 -o step.spx\n"
      "  sparsam generate step.spx --input state.npz --steps 32 -o tokens.npz\n"
      "  sparsam compile gpt2.onnx --cache past=0 --shape input_ids=1x992 -o prompt.spx\n"
      "  sparsam generate step.spx --prompt-program prompt.spx --input prompt.npz --steps 32\n");
}

} // namespace sparsam::driver
