// What the subcommands share: their options, where results may go, and (from bench/) exit codes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/exit_code.h"
#include "cxxopts.hpp"
#include "vgg19/image.h"
#include "vgg19/map_size.h"
#include "vgg19/session.h"

namespace vgg19::tools {

/// A subcommand. Its arguments follow argv[0], which is its name. It may throw.
using Run = int(int argc, char** argv);

/// Calls `run`; an exception becomes "vgg19 NAME: message" on standard error and its exit code. Results that
/// could not be written to standard output are a failure too.
int run_command(const std::string& name, Run* run, int argc, char** argv);

/// The options and arguments of a subcommand. Every error is an Error (usage) that names the flag.
class CommandLine {
  public:
    /// `arguments` ends the usage line: "MODEL -o FILE".
    CommandLine(std::string name, const std::string& purpose, const std::string& arguments);

    /// An option with a value. `names` is "output" or "o,output" and is called by its long name below.
    /// Without a default value it may be absent.
    CommandLine& option(const std::string& names, const std::string& placeholder,
                        const std::string& description, const std::string& default_value = "");
    CommandLine& flag(const std::string& name, const std::string& description);
    CommandLine& example(const std::string& command);

    /// False when help was asked for, and printed: then there is nothing more to do.
    bool parse(int argc, char** argv);

    /// The one argument that is no option, or all of them (at least one).
    std::string argument(const std::string& what) const;
    std::vector<std::string> arguments(const std::string& what) const;
    void no_arguments() const;  ///< throws where there is one

    /// Whether a flag or an option is on the command line.
    bool given(const std::string& name) const;
    /// The value on the command line, else the default, else "".
    std::string text(const std::string& name) const;
    /// The same where there must be one.
    std::string required(const std::string& name) const;
    /// Numbers in [least, most].
    std::size_t whole_number(const std::string& name, std::size_t least, std::size_t most) const;
    double number(const std::string& name, double least, double most) const;
    /// Comma-separated; none where the option is absent.
    std::vector<std::size_t> whole_numbers(const std::string& name, std::size_t least,
                                           std::size_t most) const;

  private:
    void check_values(int argc, char** argv) const;

    std::string name_;
    cxxopts::Options options_;
    std::vector<std::string> valued_;
    std::vector<std::string> flags_;
    std::string examples_;
    cxxopts::ParseResult parsed_;
};

/// --size, for subcommands that run a model or count its work.
void add_size_option(CommandLine& line);
/// --size, or an empty size where it is absent: the model's own.
MapSize size_option(const CommandLine& line);

/// --threads, for subcommands that compute.
void add_threads_option(CommandLine& line);
/// --threads and --isa, for subcommands that use the CPU as a session does.
void add_cpu_options(CommandLine& line);
/// --threads, or 0 where it is absent: all that there are.
int threads_option(const CommandLine& line);

/// --size, --threads, --isa and --conv, for subcommands that run a model.
void add_session_options(CommandLine& line);
/// What they say. Whether a session can be so, its constructor finds out.
SessionOptions session_options(const CommandLine& line);

/// --no-exif and --max-megapixels, for subcommands that read pictures.
void add_image_options(CommandLine& line);
ImageOptions image_options(const CommandLine& line);

/// Before any work is done: `output` must be a regular file or not exist yet, in a folder that exists.
/// Throws Error (usage).
void check_destination(const std::filesystem::path& output);

/// One line on standard output about a model file that was just written.
void print_written(const std::filesystem::path& path);

}  // namespace vgg19::tools
