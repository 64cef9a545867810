#include "tools/pipeline/work_folder.h"

#include "converter/variants/recipes.h"
#include "engine/model/map_size.h"
#include "engine/model/model_file.h"
#include "tools/interrupt.h"
#include "tools/pipeline/child_process.h"
#include "vgg19/error.h"

namespace vgg19::tools {

std::string checked_whole(const CommandLine& line, const std::string& name, std::size_t least,
                          std::size_t most) {
    if (line.given(name)) line.whole_number(name, least, most);
    return line.given(name) ? line.text(name) : "";
}

std::string checked_number(const CommandLine& line, const std::string& name, double least, double most) {
    if (line.given(name)) line.number(name, least, most);
    return line.given(name) ? line.text(name) : "";
}

std::string checked_size(const CommandLine& line, const std::string& name) {
    if (line.given(name)) model::input_size_option(name, line.text(name));
    return line.text(name);
}

void require_not_both(const CommandLine& line, const char* one, const char* other) {
    if (!line.given(one) || !line.given(other)) return;
    throw Error(ErrorKind::usage, "--" + std::string(one) + " and --" + other + " exclude each other");
}

void require_there(const std::string& option, const std::filesystem::path& path) {
    if (std::filesystem::exists(path)) return;
    throw Error(ErrorKind::bad_input, option + path.string() + ": there is no such file or folder");
}

bool is_baseline_model(const std::filesystem::path& weights) {
    std::string variant;
    try {
        variant = model::ModelFile::open(weights).description().variant;
    } catch (const Error&) {
        return false;  // `vgg19 convert` will report any error
    }
    if (variant == converter::baseline_recipe().id) return true;
    throw Error(ErrorKind::usage, weights.string() +
                                      ": expected weights or a baseline that variants can be derived from, "
                                      "found a model of the variant " +
                                      variant);
}

void prepare_work_folder(const std::filesystem::path& folder, const std::string& log_name,
                         const std::string& program) {
    const bool ours = std::filesystem::exists(folder / log_name);
    if (std::filesystem::exists(folder) && !ours &&
        (!std::filesystem::is_directory(folder) || !std::filesystem::is_empty(folder))) {
        throw Error(ErrorKind::usage, "--output: " + folder.string() +
                                          ": expected an empty folder, or one that " + program + " made");
    }
    for (const char* part : {"", "work", "eval"}) std::filesystem::create_directories(folder / part);
}

void link_baseline(const std::filesystem::path& weights, const std::filesystem::path& link) {
    if (std::filesystem::exists(link) && std::filesystem::equivalent(link, weights)) return;
    std::filesystem::remove(link);
    std::filesystem::create_symlink(std::filesystem::absolute(weights), link);
}

int run_step_as_child(const Step& step) {
    const int code = run_child(step.words, step.prints_output ? step.output : std::filesystem::path(),
                               InterruptGuard::interrupted);
    if (!InterruptGuard::interrupted()) return code;
    throw Error(ErrorKind::failed, "interrupted in step " + step.id + "; the same command continues there");
}

}  // namespace vgg19::tools
