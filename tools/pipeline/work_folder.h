// What commands that run many steps share: their folder, their weights, and a step as a child process.
#pragma once

#include <filesystem>
#include <string>

#include "tools/command_line/command_line.h"
#include "tools/pipeline/steps.h"

namespace vgg19::tools {

/// The value of an option after a check, as it was given; "" if it is absent.
std::string checked_whole(const CommandLine& line, const std::string& name, std::size_t least,
                          std::size_t most);
std::string checked_number(const CommandLine& line, const std::string& name, double least, double most);
std::string checked_size(const CommandLine& line, const std::string& name);

/// Throws Error (usage) if both options are given.
void require_not_both(const CommandLine& line, const char* one, const char* other);

/// Throws Error (bad_input) if there is no such file or folder; `option` stands before its name.
void require_there(const std::string& option, const std::filesystem::path& path);

/// Whether the weights are a vgg19 model. Throws Error (usage) if they are one, but not a baseline.
bool is_baseline_model(const std::filesystem::path& weights);

/// Creates the folder with `work` and `eval` in it. Steps replace files without asking, so it must be empty,
/// or have been made by the same command, which has its log there: else throws Error (usage).
void prepare_work_folder(const std::filesystem::path& folder, const std::string& log_name,
                         const std::string& program);

/// Makes `link` a link to the given model.
void link_baseline(const std::filesystem::path& weights, const std::filesystem::path& link);

/// Runs a step as a child process. Throws Error (failed) if an InterruptGuard was interrupted.
int run_step_as_child(const Step& step);

}  // namespace vgg19::tools
