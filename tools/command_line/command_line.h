// The options and arguments of a program or subcommand.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace vgg19 {

/// Declares options, parses a command line, and returns their values. Every error is an Error (usage) that
/// names the flag. The parser is hidden behind this interface, because it takes much longer to compile than
/// this header.
class CommandLine {
  public:
    /// The usage line is PROGRAM NAME ARGUMENTS; `name` may be empty, and `arguments` is for example "MODEL
    /// -o FILE".
    CommandLine(const std::string& name, const std::string& purpose, const std::string& arguments,
                const std::string& program = "vgg19");
    CommandLine(CommandLine&&) noexcept;
    CommandLine& operator=(CommandLine&&) noexcept;
    ~CommandLine();

    /// Adds an option with a value. `names` is "output" or "o,output"; the functions below use the long name.
    /// Without a default, the option may be absent.
    CommandLine& option(const std::string& names, const std::string& placeholder,
                        const std::string& description, const std::string& default_value = "");
    /// Adds an option that takes a comma-separated list; it may be given several times.
    CommandLine& list_option(const std::string& name, const std::string& placeholder,
                             const std::string& description);
    /// Adds a flag that may have a value, as --NAME=VALUE; text() is "" without one.
    CommandLine& flag_with_value(const std::string& name, const std::string& placeholder,
                                 const std::string& description);
    CommandLine& flag(const std::string& name, const std::string& description);
    CommandLine& example(const std::string& command);
    /// Starts a group of options with this heading in the help. --help belongs to the first group.
    CommandLine& group(const std::string& heading);
    /// Sets the last lines of the help.
    CommandLine& closing(const std::string& text);
    /// Allows repeated options (the last value counts) and empty values. Otherwise both are errors, because
    /// they are likely mistakes.
    CommandLine& lenient();

    /// False if help was requested and printed: then nothing more is to be done.
    bool parse(int argc, const char* const* argv);

    /// The only positional argument, or all of them (at least one).
    std::string argument(const std::string& what) const;
    std::vector<std::string> arguments(const std::string& what) const;
    void no_arguments() const;  ///< throws if there is one
    bool has_arguments() const;

    /// Whether a flag or an option is on the command line.
    bool given(const std::string& name) const;
    /// The value on the command line, else the default, else "".
    std::string text(const std::string& name) const;
    /// The same; throws if there is none.
    std::string required(const std::string& name) const;
    /// The values of a list_option; empty if it is absent.
    std::vector<std::string> texts(const std::string& name) const;
    /// Numbers in [least, most].
    std::size_t whole_number(const std::string& name, std::size_t least, std::size_t most) const;
    double number(const std::string& name, double least, double most) const;
    /// Comma-separated numbers; empty if the option is absent.
    std::vector<std::size_t> whole_numbers(const std::string& name, std::size_t least,
                                           std::size_t most) const;

  private:
    struct State;

    void check_flags(int argc, const char* const* argv) const;
    void check_values() const;
    std::string see_help() const;

    std::unique_ptr<State> state_;
};

}  // namespace vgg19
