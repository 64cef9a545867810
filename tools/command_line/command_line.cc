#include "tools/command_line/command_line.h"

#include <algorithm>
#include <charconv>
#include <iostream>
#include <sstream>
#include <string_view>
#include <system_error>

#include "vgg19/error.h"

// Its regular expressions would allocate thousands of times before main(), and recurse for each character of
// an argument: one of 100 kB overflowed the stack.
#define CXXOPTS_NO_REGEX
#include <cxxopts.hpp>

namespace vgg19 {

namespace {

constexpr std::size_t help_width = 110;

Error usage_error(const std::string& message) {
    return {ErrorKind::usage, message};
}

template <class Number>
Number parse_number(const std::string& flag, const std::string& text, const std::string& kind, Number least,
                    Number most) {
    Number value{};
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    // Written so that NaN is rejected too.
    if (error != std::errc{} || rest != end || !(value >= least && value <= most)) {
        std::ostringstream message;
        message << "--" << flag << ": expected " << kind << " from " << least << " to " << most << ", found '"
                << text << "'";
        throw usage_error(message.str());
    }
    return value;
}

std::string long_name(const std::string& names) {
    return names.substr(names.find(',') + 1);  // npos + 1 is 0: the whole text
}

/// "o" of "o,output", else nothing.
std::string short_name(const std::string& names) {
    return names.find(',') == 1 ? names.substr(0, 1) : "";
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

struct CommandLine::State {
    std::string program;  ///< as called by the user: "vgg19 convert"
    cxxopts::Options options;
    cxxopts::ParseResult parsed{};
    std::vector<std::string> groups{""};
    std::vector<std::string> valued{};
    std::vector<std::string> lists{};
    std::vector<std::string> flags{};
    std::string letters{};         ///< the options that have a short name
    std::string valued_letters{};  ///< those of them that have a value
    std::string examples{};
    std::string closing{};
    bool lenient = false;

    /// How many characters of an argument such as "-xofile" are options: up to the first that has a value
    /// (then the rest is the value) or is unknown (then cxxopts reports it). The whole of other arguments.
    std::size_t end_of_letters(const std::string& argument) const {
        if (argument.size() < 2 || argument[0] != '-' || argument[1] == '-') return argument.size();
        for (std::size_t i = 1; i < argument.size(); ++i) {
            const bool is_flag = letters.find(argument[i]) != std::string::npos &&
                                 valued_letters.find(argument[i]) == std::string::npos;
            if (!is_flag) return i + 1;
        }
        return argument.size();
    }

    /// Whether the next argument is this one's value.
    bool takes_next(const std::string& argument) const {
        if (argument.rfind("--", 0) == 0) {
            return contains(valued, argument.substr(2)) || contains(lists, argument.substr(2));
        }
        return argument.size() > 1 && argument[0] == '-' &&
               valued_letters.find(argument.back()) != std::string::npos;
    }

    /// With "-ofile" as "-o file", which is the only one that cxxopts reads without regular expressions.
    std::vector<std::string> separated(int argc, const char* const* argv) const {
        std::vector<std::string> result;
        for (int i = 0; i < argc; ++i) {
            std::string argument = argv[i];
            if (i > 0 && argument == "--") {
                result.insert(result.end(), argv + i, argv + argc);
                break;
            }
            const std::size_t end = i == 0 ? argument.size() : end_of_letters(argument);
            const bool is_known = end < 2 || letters.find(argument[end - 1]) != std::string::npos;
            result.push_back(argument.substr(0, end));
            if (end < argument.size() && is_known) {
                result.push_back(argument.substr(end));
            } else if (i > 0 && i + 1 < argc && takes_next(result.back())) {
                result.emplace_back(argv[++i]);
            }
        }
        return result;
    }
};

CommandLine::CommandLine(const std::string& name, const std::string& purpose, const std::string& arguments,
                         const std::string& program) {
    const std::string whole = name.empty() ? program : program + " " + name;
    state_ =
        std::make_unique<State>(State{.program = whole, .options = cxxopts::Options(whole, purpose + "\n")});
    state_->options.set_width(help_width);
    if (!arguments.empty()) state_->options.custom_help(arguments);
    state_->options.add_options()("h,help", "print this");
    state_->letters = "h";
}

CommandLine::CommandLine(CommandLine&&) noexcept = default;
CommandLine& CommandLine::operator=(CommandLine&&) noexcept = default;
CommandLine::~CommandLine() = default;

CommandLine& CommandLine::option(const std::string& names, const std::string& placeholder,
                                 const std::string& description, const std::string& default_value) {
    // Numbers are parsed here, because the errors of cxxopts do not name the flag.
    const auto value = cxxopts::value<std::string>();
    if (!default_value.empty()) value->default_value(default_value);
    state_->options.add_options(state_->groups.back())(names, description, value, placeholder);
    state_->valued.push_back(long_name(names));
    state_->letters += short_name(names);
    state_->valued_letters += short_name(names);
    return *this;
}

CommandLine& CommandLine::list_option(const std::string& name, const std::string& placeholder,
                                      const std::string& description) {
    state_->options.add_options(state_->groups.back())(
        name, description, cxxopts::value<std::vector<std::string>>(), placeholder);
    state_->lists.push_back(name);
    return *this;
}

CommandLine& CommandLine::flag_with_value(const std::string& name, const std::string& placeholder,
                                          const std::string& description) {
    state_->options.add_options(state_->groups.back())(
        name, description, cxxopts::value<std::string>()->implicit_value(""), placeholder);
    return *this;
}

CommandLine& CommandLine::flag(const std::string& name, const std::string& description) {
    state_->options.add_options(state_->groups.back())(name, description);
    state_->flags.push_back(long_name(name));
    return *this;
}

CommandLine& CommandLine::example(const std::string& command) {
    state_->examples += (state_->examples.empty() ? "\nExample:\n  " : "  ") + command + "\n";
    return *this;
}

CommandLine& CommandLine::group(const std::string& heading) {
    state_->groups.push_back(heading);
    return *this;
}

CommandLine& CommandLine::closing(const std::string& text) {
    state_->closing = text;
    return *this;
}

CommandLine& CommandLine::lenient() {
    state_->lenient = true;
    return *this;
}

bool CommandLine::parse(int argc, const char* const* argv) {
    const std::vector<std::string> arguments = state_->separated(argc, argv);
    std::vector<const char*> pointers;
    pointers.reserve(arguments.size());
    for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
    try {
        state_->parsed = state_->options.parse(static_cast<int>(pointers.size()), pointers.data());
    } catch (const cxxopts::exceptions::incorrect_argument_type&) {
        check_flags(argc, argv);
        throw usage_error("a flag was given a value");
    } catch (const cxxopts::exceptions::exception& error) {
        throw usage_error(std::string(error.what()) + see_help());
    }
    if (given("help")) {
        std::cout << state_->options.help(state_->groups) << state_->examples << state_->closing;
        return false;
    }
    check_flags(argc, argv);
    check_values();
    return true;
}

std::string CommandLine::see_help() const {
    return "; see: " + state_->program + " --help";
}

void CommandLine::check_flags(int argc, const char* const* argv) const {
    for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i) {
        const std::string argument = argv[i];
        const std::size_t equals = argument.find('=');
        if (equals == std::string::npos || argument.rfind("--", 0) != 0) continue;
        const std::string name = argument.substr(2, equals - 2);
        if (contains(state_->flags, name)) {
            throw usage_error("--" + name + ": expected no value, found '" + argument.substr(equals + 1) +
                              "'");
        }
    }
}

void CommandLine::check_values() const {
    for (const std::string& name : state_->valued) {
        if (!given(name)) continue;
        const std::string value = text(name);
        if (!state_->lenient && state_->parsed.count(name) > 1) {
            throw usage_error("--" + name + " is given more than once");
        }
        if (!state_->lenient && value.empty()) {
            throw usage_error("--" + name + ": expected a value, found none");
        }
        // cxxopts accepts any next word as a value: in "--output --json" the value was forgotten.
        if (value.rfind("--", 0) == 0) {
            std::string message = "--";
            throw usage_error(
                message.append(name).append(": expected a value, found '").append(value).append("'"));
        }
    }
}

std::string CommandLine::argument(const std::string& what) const {
    const std::vector<std::string> all = arguments(what);
    if (all.size() > 1) {
        throw usage_error("expected one " + what + ", found '" + all[1] + "' after '" + all[0] + "'" +
                          see_help());
    }
    return all.front();
}

std::vector<std::string> CommandLine::arguments(const std::string& what) const {
    // No positional options are declared, so all arguments end up here, including those with a comma.
    if (state_->parsed.unmatched().empty()) {
        throw usage_error("expected " + what + ", found none" + see_help());
    }
    return state_->parsed.unmatched();
}

void CommandLine::no_arguments() const {
    if (state_->parsed.unmatched().empty()) return;
    throw usage_error("expected only options, found '" + state_->parsed.unmatched().front() + "'" +
                      see_help());
}

bool CommandLine::has_arguments() const {
    return !state_->parsed.unmatched().empty();
}

bool CommandLine::given(const std::string& name) const {
    return state_->parsed.count(name) > 0;
}

std::string CommandLine::text(const std::string& name) const {
    const cxxopts::OptionValue& value = state_->parsed[name];
    return value.count() > 0 || value.has_default() ? value.as<std::string>() : "";
}

std::string CommandLine::required(const std::string& name) const {
    std::string value = text(name);
    if (value.empty()) throw usage_error("--" + name + " is required" + see_help());
    return value;
}

std::vector<std::string> CommandLine::texts(const std::string& name) const {
    if (!given(name)) return {};
    return state_->parsed[name].as<std::vector<std::string>>();
}

std::size_t CommandLine::whole_number(const std::string& name, std::size_t least, std::size_t most) const {
    return parse_number<std::size_t>(name, text(name), "a whole number", least, most);
}

double CommandLine::number(const std::string& name, double least, double most) const {
    return parse_number<double>(name, text(name), "a number", least, most);
}

std::vector<std::size_t> CommandLine::whole_numbers(const std::string& name, std::size_t least,
                                                    std::size_t most) const {
    std::vector<std::size_t> values;
    if (!given(name)) return values;
    const std::string list = text(name);
    for (std::size_t begin = 0; begin <= list.size();) {
        const std::size_t end = std::min(list.find(',', begin), list.size());
        values.push_back(parse_number<std::size_t>(name, list.substr(begin, end - begin),
                                                   "whole numbers separated by commas, each", least, most));
        begin = end + 1;
    }
    return values;
}

}  // namespace vgg19
