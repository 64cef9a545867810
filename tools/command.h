// Shared by the subcommands: options, output files, and (from bench/) exit codes.
#pragma once

#include <filesystem>
#include <string_view>

#include "bench/exit_code.h"
#include "tools/command_line/command_line.h"
#include "tools/command_line/option_groups.h"

namespace vgg19::tools {

/// A subcommand. argv[0] is its name, followed by its arguments. It may throw.
using Run = int(int argc, char** argv);

/// Calls `run` and turns an exception into "vgg19 NAME: message" on standard error and its exit code. Failing
/// to write results to standard output is also an error.
int run_command(std::string_view name, Run* run, int argc, char** argv);

/// Before any work: checks that `output` is a regular file or does not exist, and that its folder exists.
/// Throws Error (usage).
void check_destination(const std::filesystem::path& output);

/// Prints one line about a model file that was just written.
void print_written(const std::filesystem::path& path);

}  // namespace vgg19::tools
