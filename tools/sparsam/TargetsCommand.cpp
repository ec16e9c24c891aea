// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TargetsCommand.cpp - sparsam targets, disassemble, reproduce -------===//

#include "tools/sparsam/Common.h"
#include "tools/sparsam/Paper.h"

#include "runtime/program/Program_generated.h"
#include "runtime/report/Table.h"
#include "runtime/support/Text.h"
#include "tools/common/Registry.h"

#include <cmath>
#include <iostream>

namespace sparsam::driver {

namespace {

//===-- targets ------------------------------------------------------------===//

class TargetsCommand : public Command {
public:
  explicit TargetsCommand(CLI::App &command) {
    command.add_option("name", machine_.target, "Target whose parameters to list")
        ->type_name("NAME");
    addJson(command);
  }

  Status run() override { return machine_.target.empty() ? listTargets() : listParameters(); }

private:
  Status listTargets() const {
    Json report = Json::array();
    runtime::Table table({"target", "presets", "what it is"});
    for (const auto &[name, model] : modelRegistry().all()) {
      auto arch = resolveArch(name, "", {});
      if (!arch)
        return arch.error();
      Json presets = Json::array();
      std::string list;
      for (const runtime::Preset &preset : arch->spec().presets()) {
        presets.push_back(preset.name);
        list += (list.empty() ? "" : ", ") + preset.name;
      }
      report.push_back({{"name", name}, {"summary", arch->spec().summary()}, {"presets", presets}});
      table.addRow({name, list, arch->spec().summary()});
    }
    print(report, [&] { return table.toString(); });
    return Status();
  }

  static Json toJson(const runtime::ParamInfo &param, const std::string &value) {
    static const char *const types[] = {"flag", "integer", "real", "text"};
    Json json = {{"name", param.name},       {"group", param.group},
                 {"value", value},           {"type", types[param.defaultValue.index()]},
                 {"unit", param.unit},       {"source", param.source},
                 {"summary", param.summary}, {"informative", param.informative}};
    if (param.min)
      json["min"] = *param.min;
    if (param.max)
      json["max"] = *param.max;
    if (!param.choices.empty())
      json["choices"] = param.choices;
    return json;
  }

  Status listParameters() const {
    auto arch = machine_.resolve();
    if (!arch)
      return arch.error();
    Json parameters = Json::array();
    runtime::Table table({"parameter", "value", "unit", "source", "what it is"});
    std::string group;
    for (const runtime::ParamInfo &param : arch->spec().params()) {
      std::string value = runtime::toString(arch->value(param.name));
      parameters.push_back(toJson(param, value));
      if (param.group != group)
        table.addRow({group = param.group});
      table.addRow({"  " + param.name, value, param.unit, param.source, param.summary});
    }
    Json report = {{"name", arch->spec().target()},
                   {"summary", arch->spec().summary()},
                   {"parameters", parameters},
                   {"presets", Json::object()}};
    std::string presets;
    for (const runtime::Preset &preset : arch->spec().presets()) {
      report["presets"][preset.name] = preset.summary;
      presets += "  --preset " + preset.name + ": " + preset.summary + "\n";
    }
    print(report, [&] {
      return arch->spec().summary() + "\n\n" + table.toString() +
             "\nSources: P published, R authors' repository, M recalled, D derived, A assumed, S "
             "survey\n\n" +
             presets;
    });
    return Status();
  }

  MachineOptions machine_;
};

//===-- disassemble --------------------------------------------------------===//

class DisassembleCommand : public Command {
public:
  explicit DisassembleCommand(CLI::App &command) {
    command.add_option("program", path_, "Program file")->required()->type_name("FILE.spx");
    command.add_option("--kernel", kernel_, "Only this kernel")->type_name("NAME");
    addJson(command);
  }

  Status run() override {
    auto program = runtime::Program::load(path_);
    if (!program)
      return program.error();
    auto session = createSession(*program); // checks every command word
    if (!session)
      return session.error();
    Json report = Json::array();
    std::string text;
    std::vector<std::string> names;
    for (const auto *stage : *(*program)->table().stages()) {
      const auto *kernel = stage->accelerator();
      if (!kernel)
        continue;
      std::string name = kernel->name()->str();
      names.push_back(name);
      if (!kernel_.empty() && kernel_ != name)
        continue;
      auto listing = disassemble(**session, *kernel);
      if (!listing)
        return listing.error();
      report.push_back({{"kernel", name},
                        {"target", kernel->target()->str()},
                        {"words", kernel->words()->size()},
                        {"descriptors", kernel->descriptors() ? kernel->descriptors()->size() : 0},
                        {"listing", *listing}});
      text += "kernel " + name + " (" + kernel->target()->str() + ", " +
              std::to_string(kernel->words()->size()) + " words)\n" + *listing + "\n";
    }
    if (!kernel_.empty() && report.empty())
      return makeError(path_, " has no kernel '", kernel_, "'",
                       runtime::suggestion(kernel_, names));
    print(report, [&] { return text.empty() ? "everything runs on the host\n" : text; });
    return Status();
  }

private:
  static Result<std::string> disassemble(const runtime::Session &session,
                                         const program::AcceleratorStage &stage) {
    const runtime::TargetModel *model = modelRegistry().find(stage.target()->string_view());
    auto machine = model->createMachine(*session.arch());
    if (!machine)
      return machine.error();
    return (*machine)->disassemble(stage);
  }

  std::string path_, kernel_;
};

//===-- reproduce ----------------------------------------------------------===//

class ReproduceCommand : public Command {
public:
  explicit ReproduceCommand(CLI::App &command) {
    command.add_option("target,--target", target_, "Only this target")->type_name("NAME");
    addJson(command);
  }

  Status run() override {
    if (!target_.empty() && !modelRegistry().find(target_))
      return resolveArch(target_, "", {}).error();
    Json report = Json::array();
    std::string text;
    runtime::Table summary({"target", "met", "missed", "not reproduced"});
    Status allMet;
    for (const auto &[name, model] : modelRegistry().all()) {
      if (!target_.empty() && name != target_)
        continue;
      auto rows = evaluatePaper(name, *model);
      if (!rows)
        return rows.error();
      text += format(name, *rows);
      int met = 0, missed = 0, open = 0;
      for (const runtime::PaperRow &row : *rows) {
        report.push_back(toJson(name, row));
        ++(!row.reason.empty() ? open : row.pass ? met : missed);
      }
      summary.addRow({name, std::to_string(met), std::to_string(missed), std::to_string(open)});
      if (Status status = expectMet(*rows); !status)
        allMet = status;
    }
    print(report, [&] {
      return text +
             "Sources: P published, R authors' repository, M recalled, D derived, S survey\n\n" +
             summary.toString();
    });
    return allMet;
  }

private:
  static std::string number(const std::optional<double> &value) {
    if (!value)
      return "";
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", *value);
    return text;
  }

  static Json toJson(const std::string &target, const runtime::PaperRow &row) {
    auto optional = [](const std::optional<double> &value) {
      return value ? Json(*value) : Json();
    };
    Json json = {{"target", target},
                 {"metric", row.metric},
                 {"workload", row.workload},
                 {"unit", row.unit},
                 {"published", optional(row.published)},
                 {"ours", optional(row.ours)},
                 {"tolerance", optional(row.tolerance)},
                 {"source", row.source}};
    if (row.reason.empty())
      json["pass"] = row.pass;
    else
      json["not_reproduced"] = row.reason;
    return json;
  }

  static std::string format(const std::string &target, const std::vector<runtime::PaperRow> &rows) {
    if (rows.empty())
      return target + "\n  nothing was published\n\n";
    runtime::Table done(
        {"metric", "workload", "reference", "ours", "unit", "off by", "within", "", "source"});
    runtime::Table open({"not reproduced", "workload", "reference", "unit", "why"});
    for (const runtime::PaperRow &row : rows)
      if (!row.reason.empty()) {
        open.addRow({row.metric, row.workload, number(row.published), row.unit, row.reason});
      } else {
        double off = std::abs(*row.ours / *row.published - 1);
        done.addRow({row.metric, row.workload, number(row.published), number(row.ours), row.unit,
                     runtime::formatPercent(off), runtime::formatPercent(*row.tolerance),
                     row.pass ? "ok" : "MISSED", row.source});
      }
    return target + "\n" + done.toString() + (open.empty() ? "" : "\n" + open.toString()) + "\n";
  }

  std::string target_;
};

} // namespace

void addTargets(CLI::App &app) {
  addCommand<TargetsCommand>(app, "targets", "List the accelerators, or the parameters of one",
                             "  sparsam targets\n"
                             "  sparsam targets NAME --json\n");
}

void addDisassemble(CLI::App &app) {
  addCommand<DisassembleCommand>(app, "disassemble", "List the instructions of a program",
                                 "  sparsam disassemble model.spx --kernel attention_0\n");
}

void addReproduce(CLI::App &app) {
  addCommand<ReproduceCommand>(app, "reproduce", "Compare published results with ours",
                               "  sparsam reproduce\n"
                               "  sparsam reproduce NAME\n"
                               "  sparsam reproduce --json\n"
                               "\nRows that need what we do not have (models fine-tuned by the "
                               "authors, other machines) are\n"
                               "listed with the reason.\n");
}

} // namespace sparsam::driver
