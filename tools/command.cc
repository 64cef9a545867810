#include "tools/command.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <iostream>
#include <new>
#include <sstream>
#include <string_view>

#include "engine/model/map_size.h"
#include "kernels/isa/isa.h"
#include "tools/text.h"
#include "vgg19/error.h"
#include "vgg19/model.h"

namespace vgg19::tools {

namespace {

constexpr std::size_t help_width = 110;
constexpr std::size_t most_threads = 1024;
constexpr std::size_t pixels_of_a_megapixel = 1'000'000;

int report(const std::string& name, std::string_view message, int code) {
    std::cerr << "vgg19 " << name << ": " << message << '\n';
    return code;
}

Error usage_error(const std::string& message) {
    return {ErrorKind::usage, message};
}

template <class Number>
Number parse_number(const std::string& flag, const std::string& text, const std::string& kind, Number least,
                    Number most) {
    Number value{};
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    // Written so that NaN is refused as well.
    if (error != std::errc{} || rest != end || !(value >= least && value <= most)) {
        std::ostringstream message;
        message << "--" << flag << ": expected " << kind << " from " << least << " to " << most << ", found '"
                << text << "'";
        throw usage_error(message.str());
    }
    return value;
}

/// Those that are in this build.
std::string isa_list() {
    std::string names;
    for (const kernels::Isa isa : kernels::all_isas()) {
        if (!kernels::isa_is_built(isa)) continue;
        names += (names.empty() ? "" : ", ") + std::string(kernels::isa_name(isa));
    }
    return names;
}

std::string long_name(const std::string& names) {
    return names.substr(names.find(',') + 1);  // npos + 1 is 0: all of it
}

}  // namespace

int run_command(const std::string& name, Run* run, int argc, char** argv) {
    try {
        const int code = run(argc, argv);
        std::cout.flush();
        if (!std::cout) return report(name, "cannot write to standard output", exit_failed);
        return code;
    } catch (const Error& error) {
        return report(name, error.what(), exit_code(error.kind()));
    } catch (const std::bad_alloc&) {
        return report(name, "not enough memory", exit_failed);
    } catch (const std::exception& error) {
        return report(name, error.what(), exit_failed);
    }
}

CommandLine::CommandLine(std::string name, const std::string& purpose, const std::string& arguments)
    : name_(std::move(name)), options_("vgg19 " + name_, purpose + "\n") {
    options_.custom_help(arguments).set_width(help_width);
    options_.add_options()("h,help", "print this");
}

CommandLine& CommandLine::option(const std::string& names, const std::string& placeholder,
                                 const std::string& description, const std::string& default_value) {
    // Numbers are parsed here and not by cxxopts, whose errors do not name the flag.
    const auto value = cxxopts::value<std::string>();
    if (!default_value.empty()) value->default_value(default_value);
    options_.add_options()(names, description, value, placeholder);
    valued_.push_back(long_name(names));
    return *this;
}

CommandLine& CommandLine::flag(const std::string& name, const std::string& description) {
    options_.add_options()(name, description);
    flags_.push_back(name);
    return *this;
}

CommandLine& CommandLine::example(const std::string& command) {
    examples_ += (examples_.empty() ? "\nExample:\n  " : "  ") + command + "\n";
    return *this;
}

bool CommandLine::parse(int argc, char** argv) {
    try {
        parsed_ = options_.parse(argc, argv);
    } catch (const cxxopts::exceptions::incorrect_argument_type&) {
        check_values(argc, argv);
        throw usage_error("a flag was given a value");
    } catch (const cxxopts::exceptions::exception& error) {
        throw usage_error(std::string(error.what()) + "; see: vgg19 " + name_ + " --help");
    }
    if (given("help")) {
        std::cout << options_.help() << examples_;
        return false;
    }
    check_values(argc, argv);
    return true;
}

void CommandLine::check_values(int argc, char** argv) const {
    for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i) {
        const std::string argument = argv[i];
        const std::size_t equals = argument.find('=');
        if (equals == std::string::npos || argument.rfind("--", 0) != 0) continue;
        const std::string name = argument.substr(2, equals - 2);
        if (std::find(flags_.begin(), flags_.end(), name) != flags_.end()) {
            throw usage_error("--" + name + ": expected no value, found '" + argument.substr(equals + 1) +
                              "'");
        }
    }
    for (const std::string& name : valued_) {
        if (!given(name)) continue;
        const std::string value = text(name);
        if (parsed_.count(name) > 1) throw usage_error("--" + name + " is given more than once");
        if (value.empty()) throw usage_error("--" + name + ": expected a value, found none");
        // cxxopts takes whatever comes next: in "--output --json" that is a forgotten value.
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
        throw usage_error("expected one " + what + ", found '" + all[1] + "' after '" + all[0] +
                          "'; see: vgg19 " + name_ + " --help");
    }
    return all.front();
}

std::vector<std::string> CommandLine::arguments(const std::string& what) const {
    // No positional options are declared, so all of them end here, also those that hold a comma.
    if (parsed_.unmatched().empty()) {
        throw usage_error("expected " + what + ", found none; see: vgg19 " + name_ + " --help");
    }
    return parsed_.unmatched();
}

void CommandLine::no_arguments() const {
    if (parsed_.unmatched().empty()) return;
    throw usage_error("expected options alone, found '" + parsed_.unmatched().front() + "'; see: vgg19 " +
                      name_ + " --help");
}

bool CommandLine::given(const std::string& name) const {
    return parsed_.count(name) > 0;
}

std::string CommandLine::text(const std::string& name) const {
    const cxxopts::OptionValue& value = parsed_[name];
    return value.count() > 0 || value.has_default() ? value.as<std::string>() : "";
}

std::string CommandLine::required(const std::string& name) const {
    std::string value = text(name);
    if (value.empty()) throw usage_error("--" + name + " is required; see: vgg19 " + name_ + " --help");
    return value;
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
                                                   "whole numbers with commas between, each", least, most));
        begin = end + 1;
    }
    return values;
}

void add_size_option(CommandLine& line) {
    line.option(
        "size", "SIZE",
        "the network's input in pixels: 224, or height x width as 224x320, each at least 32; default: "
        "the model's own");
}

void add_threads_option(CommandLine& line) {
    line.option("threads", "N", "default: as many as the CPUs that this process may use");
}

void add_cpu_options(CommandLine& line) {
    add_threads_option(line);
    line.option("isa", "NAME",
                "instruction set: " + isa_list() + "; default: $VGG19_ISA, else the best that this CPU has");
}

MapSize size_option(const CommandLine& line) {
    return line.given("size") ? model::input_size_option("size", line.text("size")) : MapSize();
}

int threads_option(const CommandLine& line) {
    return line.given("threads") ? static_cast<int>(line.whole_number("threads", 1, most_threads)) : 0;
}

void add_session_options(CommandLine& line) {
    add_size_option(line);
    add_cpu_options(line);
    line.option("conv", "NAME",
                "convolutions: winograd (our own kernels), direct (ours for INT8), onednn, or auto (for each "
                "layer the one that "
                "should be faster)",
                "auto");
}

SessionOptions session_options(const CommandLine& line) {
    SessionOptions options;
    options.set_input_size(size_option(line));
    options.threads = threads_option(line);
    options.isa = line.text("isa");
    options.convolution = line.text("conv");
    return options;
}

void add_image_options(CommandLine& line) {
    line.flag(
            "no-exif",
            "leave pictures as they are stored, as Pillow's and torchvision's loaders do; default: turned as "
            "their EXIF orientation says, because phones store what the sensor saw and how it was held")
        .option("max-megapixels", "N", "the largest picture to read, in millions of pixels",
                std::to_string(ImageLimits{}.max_pixels / pixels_of_a_megapixel));
}

ImageOptions image_options(const CommandLine& line) {
    constexpr std::size_t most_megapixels = 10'000;
    ImageOptions options;
    options.apply_exif = !line.given("no-exif");
    const std::size_t by_default = options.limits.max_pixels / pixels_of_a_megapixel;
    const std::size_t megapixels = line.whole_number("max-megapixels", 1, most_megapixels);
    options.limits.max_pixels = megapixels * pixels_of_a_megapixel;
    // Larger pictures have larger files.
    options.limits.max_file_bytes *= std::max<std::size_t>(1, (megapixels + by_default - 1) / by_default);
    return options;
}

void check_destination(const std::filesystem::path& output) {
    std::error_code ignored;  // what cannot be looked at shows its error when it is written
    const std::filesystem::file_status status = std::filesystem::status(output, ignored);
    if (std::filesystem::is_directory(status)) {
        throw usage_error(output.string() + ": expected a file to write, found a directory");
    }
    // A finished file replaces what is there: that must not be a device or a socket.
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
        throw usage_error(output.string() + ": expected a regular file or none, found something else");
    }
    const std::filesystem::path parent = output.has_parent_path() ? output.parent_path() : ".";
    if (!std::filesystem::is_directory(parent, ignored)) {
        throw usage_error(output.string() + ": " + parent.string() + " is not a directory");
    }
}

void print_written(const std::filesystem::path& path) {
    const Model model = Model::open(path);
    std::cout << path.string() << ": " << model.variant() << ", " << grouped(model.active_parameters())
              << " parameters, " << megabytes(model.file_bytes()) << '\n';
}

}  // namespace vgg19::tools
