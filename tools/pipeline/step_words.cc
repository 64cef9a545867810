#include "tools/pipeline/step_words.h"

#include "tools/data_sets.h"

namespace vgg19::tools {

DataOptions data_options_of(const CommandLine& line) {
    DataOptions options;
    label_options(line);
    options.label_map = line.text("label-map");
    options.class_order = line.text("class-order");
    options.exif = !line.given("no-exif");
    if (line.given("max-megapixels")) {
        image_options(line);
        options.max_megapixels = line.text("max-megapixels");
    }
    return options;
}

void pass(std::vector<std::string>& words, const std::string& option, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {option, value});
}

void pass_image_options(std::vector<std::string>& words, const DataOptions& options) {
    if (!options.exif) words.emplace_back("--no-exif");
    pass(words, "--max-megapixels", options.max_megapixels);
}

void pass_label_options(std::vector<std::string>& words, const DataOptions& options) {
    pass(words, "--label-map", options.label_map);
    pass(words, "--class-order", options.class_order);
}

}  // namespace vgg19::tools
