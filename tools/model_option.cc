#include "tools/model_option.h"

#include "bench/progress.h"
#include "converter/variants/published_weights.h"
#include "converter/variants/variants.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

Error model_is_required(const Error& reason) {
    return {ErrorKind::usage, std::string("--model is required: ") + reason.what()};
}

void require_cache_folder() {
    try {
        converter::published_weights();
    } catch (const Error& error) {
        throw model_is_required(error);
    }
}

}  // namespace

std::string model_option(const CommandLine& line) {
    if (line.given("model")) return line.required("model");
    require_cache_folder();
    try {
        std::string file =
            converter::published_baseline({.say = bench::say, .shown = bench::percent_shown}).string();
        bench::say("without --model: torchvision's weights, " + file);
        return file;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::usage) throw;
        throw model_is_required(error);
    }
}

}  // namespace vgg19::tools
