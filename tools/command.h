// What the subcommands share: their options, where results may go, and (from bench/) exit codes.
#pragma once

#include <filesystem>
#include <string>

#include "bench/exit_code.h"
#include "command_line/command_line.h"
#include "command_line/option_groups.h"

namespace vgg19::tools {

/// A subcommand. Its arguments follow argv[0], which is its name. It may throw.
using Run = int(int argc, char** argv);

/// Calls `run`; an exception becomes "vgg19 NAME: message" on standard error and its exit code. Results that
/// could not be written to standard output are a failure too.
int run_command(const std::string& name, Run* run, int argc, char** argv);

/// Before any work is done: `output` must be a regular file or not exist yet, in a folder that exists.
/// Throws Error (usage).
void check_destination(const std::filesystem::path& output);

/// One line on standard output about a model file that was just written.
void print_written(const std::filesystem::path& path);

}  // namespace vgg19::tools
