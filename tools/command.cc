#include "tools/command.h"

#include <exception>
#include <iostream>
#include <new>
#include <string_view>
#include <system_error>

#include "engine/model/foreign_text.h"
#include "engine/model/model_access.h"
#include "tools/text.h"
#include "vgg19/error.h"
#include "vgg19/model.h"

namespace vgg19::tools {

namespace {

int report(std::string_view name, std::string_view message, int code) {
    std::cerr << "vgg19 " << name << ": " << model::printable_lines(message) << '\n';
    return code;
}

Error usage_error(const std::string& message) {
    return {ErrorKind::usage, message};
}

}  // namespace

int run_command(std::string_view name, Run* run, int argc, char** argv) {
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

void check_destination(const std::filesystem::path& output) {
    std::error_code ignored;  // errors of checking appear when the file is written
    const std::filesystem::file_status status = std::filesystem::status(output, ignored);
    if (std::filesystem::is_directory(status)) {
        throw usage_error(output.string() + ": expected a file to write, found a directory");
    }
    // The finished file replaces what exists, which must not be a device or a socket.
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
        throw usage_error(output.string() + ": expected a regular file or none, found something else");
    }
    const std::filesystem::path parent = output.has_parent_path() ? output.parent_path() : ".";
    if (!std::filesystem::is_directory(parent, ignored)) {
        throw usage_error(output.string() + ": " + parent.string() + " is not a directory");
    }
}

void print_written(const std::filesystem::path& path) {
    const Model model = model::map_model(path);
    std::cout << path.string() << ": " << model::printable(model.variant()) << ", "
              << grouped(model.active_parameters()) << " parameters, " << megabytes(model.file_bytes())
              << '\n';
}

}  // namespace vgg19::tools
