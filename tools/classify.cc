// vgg19 classify
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "bench/answer_json.h"
#include "engine/image/formats.h"
#include "engine/model/foreign_text.h"
#include "engine/model/json.h"
#include "engine/model/model_access.h"
#include "tools/command.h"
#include "tools/model_option.h"
#include "tools/progress_bar.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "vgg19/error.h"
#include "vgg19/image.h"
#include "vgg19/session.h"

namespace vgg19::tools {

namespace {

using model::Json;

struct Result {
    double milliseconds = 0;
    std::vector<Prediction> top;
};

/// "-" means standard input.
Image read_picture(const std::string& path, const ImageOptions& options) {
    return path == "-" ? read_image(std::cin, "standard input", options) : load_image(path, options);
}

Result classify_file(Session& session, const std::string& path, const ImageOptions& options,
                     std::size_t top) {
    using Clock = std::chrono::steady_clock;
    const Image image = read_picture(path, options);
    const Clock::time_point start = Clock::now();
    Result result;
    result.top = session.classify(image.view(), top);
    result.milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    return result;
}

Json to_json(const std::string& path, const Result& result) {
    Json json;
    json.set("file", path);
    json.set("ms", std::round(result.milliseconds * 1000) / 1000);
    json.set("top", bench::to_json(result.top));
    return json;
}

Json error_json(const std::string& path, const Error& error) {
    Json json;
    json.set("file", path);
    json.set("error", error.what());
    return json;
}

void print_text(const std::string& path, const Result& result) {
    std::cout << model::printable(path, 4096) << "  (" << fixed(result.milliseconds, 1) << " ms)\n";
    for (const Prediction& prediction : result.top) {
        const std::string percent = fixed(100.0 * static_cast<double>(prediction.probability), 2);
        std::cout << std::string(percent.size() < 8 ? 8 - percent.size() : 0, ' ') << percent << " %  ";
        if (!prediction.label.empty()) std::cout << model::printable(prediction.label) << ", ";
        if (!prediction.synset.empty()) std::cout << prediction.synset << ", ";
        std::cout << "class " << prediction.class_index << '\n';
    }
    std::cout << std::flush;
}

/// The number of classes to show per image.
std::size_t top_option(const CommandLine& line, std::size_t classes) {
    constexpr std::size_t usual = 3;
    constexpr std::size_t most = 1'000'000;
    if (!line.given("top")) return std::min(usual, classes);
    const std::size_t top = line.whole_number("top", 1, most);
    if (top <= classes) return top;
    throw Error(ErrorKind::usage, "--top: expected at most the model's " + std::to_string(classes) +
                                      " classes, found " + std::to_string(top));
}

}  // namespace

int classify(int argc, char** argv) {
    CommandLine line(
        "classify", "Classifies images: prints the most probable classes, the most probable first.",
        "[-m MODEL] IMAGE...\n\nIMAGE: " + readable_formats() + "; a file, a FIFO, or - for standard input");
    add_model_option(line);
    line.option("top", "N", "classes per image; default: 3, or all if the model has fewer");
    add_session_options(line);
    add_image_options(line);
    line.flag("json",
              "print an array with one object per image: file, ms (from pixels to predictions) and top, or "
              "file and error if it cannot be read")
        .example("vgg19 classify photo.jpg")
        .example("vgg19 classify -m vgg19.safetensors --top 3 tabby.jpg bittern.jpg")
        .example("curl -s https://example.org/cat.jpg | vgg19 classify -m vgg19.safetensors -");
    if (!line.parse(argc, argv)) return exit_done;

    const std::vector<std::string> images = line.arguments("IMAGE");
    const bool json = line.given("json");
    SessionOptions options = session_options(line);
    options.outputs = {"logits"};  // so that a model without a classifier is refused at once
    const Model model = model::map_model(model_option(line));
    const std::size_t top = top_option(line, model.classes());
    Session session(model, options);
    ImageOptions picture_options = image_options(line);
    keep_sides_for(session.input_size(), picture_options);

    int code = exit_done;
    Json results = Json::Array{};
    ProgressBar bar("classifying", ProgressUnit::items);
    for (std::size_t i = 0; i < images.size(); ++i) {
        try {
            const Result result = classify_file(session, images[i], picture_options, top);
            if (json) {
                results.push(to_json(images[i], result));
            } else {
                print_text(images[i], result);
            }
        } catch (const Error& error) {
            // A bad image does not stop the others; any other error would affect all of them.
            if (error.kind() != ErrorKind::bad_input) throw;
            std::cerr << "vgg19 classify: " << model::printable_lines(error.what()) << '\n';
            if (json) results.push(error_json(images[i], error));
            code = exit_bad_input;
        }
        if (json) bar.update(i + 1, images.size());  // without --json the printed list shows the progress
    }
    if (json) std::cout << results.dump(2) << '\n';
    return code;
}

}  // namespace vgg19::tools
