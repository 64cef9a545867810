// vgg19 eval
#include <algorithm>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "converter/data/data_set.h"
#include "converter/data/held_out.h"
#include "converter/evaluate/evaluate.h"
#include "converter/evaluate/label_map.h"
#include "engine/model/foreign_text.h"
#include "engine/model/map_size.h"
#include "engine/model/model_access.h"
#include "tools/command.h"
#include "tools/data_sets.h"
#include "tools/evaluation_text.h"
#include "tools/model_option.h"
#include "tools/progress_bar.h"
#include "tools/subcommands.h"
#include "vgg19/error.h"
#include "vgg19/session.h"

namespace vgg19::tools {

namespace {

constexpr std::size_t largest_batch = 1024;
constexpr std::size_t most_images = 1'000'000'000;

CommandLine command_line() {
    CommandLine line(
        "eval",
        std::string("Measures a model's accuracy: top-1, top-3 and top-5, with 95 % Wilson intervals.\n\n") +
            labelled_data_help,
        "[-m MODEL] --data DATA");
    add_model_option(line);
    line.option("data", "DATA", "labelled images (required)")
        .option("reference", "FILE",
                "another model to compare with: how often both agree, which one is right, and how much top-1 "
                "the model loses")
        .option("reference-size", "SIZE", "the reference's input size; default: as --size")
        .option("n,images", "N",
                "the number of images, taken at equal distances from the whole set; default: all")
        .option("hold-out", "K",
                "only every K-th image: those that --hold-out K of other subcommands leaves out")
        .option("batch", "N", "images per run; results do not depend on it", "8")
        .flag("per-class", "also one line per class")
        .flag("confusion",
              "also show which classes were predicted for which: a matrix or, with many classes, the most "
              "frequent mistakes")
        .flag("json",
              "print an object: images; top1, top3, top5, top1_interval, … as fractions; class_order, "
              "left_out and broken (unreadable images, which do not count); also reference, classes and "
              "confusion with --reference, --per-class and --confusion");
    add_label_options(line);
    add_session_options(line);
    add_image_options(line);
    line.example("vgg19 eval -m vgg19.safetensors --data cifar-10/test_batch.bin --size 32 --per-class")
        .example("vgg19 eval -m int8.safetensors --reference vgg19.safetensors --data photos --json");
    return line;
}

/// `count` of the data's items or, unless `hold_out` is 0, of the held-out ones.
std::vector<std::size_t> chosen_items(const NamedData& named, std::size_t hold_out, std::size_t count) {
    std::vector<std::size_t> items = all_items(*named.data);
    if (hold_out > 0) items = converter::held_out_items(items, hold_out);
    if (items.empty()) {
        throw Error(ErrorKind::usage, "--hold-out: expected at most the number of images, " +
                                          std::to_string(named.data->size()) + ", found " +
                                          std::to_string(hold_out));
    }
    std::vector<std::size_t> chosen;
    for (const std::size_t place : converter::spread_items(items.size(), count)) {
        chosen.push_back(items[place]);
    }
    return chosen;
}

converter::Evaluation run(Session& model, std::optional<Session>& reference,
                          const converter::EvaluationImages& images) {
    ProgressBar bar("evaluating", ProgressUnit::items);
    return converter::evaluate(model, images, reference ? &*reference : nullptr, bar.callback());
}

}  // namespace

int eval(int argc, char** argv) {
    CommandLine line = command_line();
    if (!line.parse(argc, argv)) return exit_done;
    line.no_arguments();
    const std::string model_path = model_option(line);
    const std::string data_path = line.required("data");
    const std::string reference_path = line.text("reference");
    if (line.given("reference-size") && reference_path.empty()) {
        throw Error(ErrorKind::usage, "--reference-size belongs to --reference");
    }
    const std::size_t count =
        line.given("images") ? line.whole_number("images", 1, most_images) : most_images;
    const std::size_t hold_out = hold_out_option(line);
    SessionOptions options = session_options(line);
    options.batch = line.whole_number("batch", 1, largest_batch);

    const converter::LabelOptions label_choice = label_options(line);
    const Model model = model::map_model(model_path);
    model::file_of(model).require_classifier();
    const NamedData named = open_data("data", data_path, converter::DataUse::evaluation, image_options(line));
    const converter::DataSet& data = *named.data;
    const converter::ClassMapping classes =
        map_data(named, {model.classes(), model.class_names()}, label_choice);
    const converter::EvaluationImages images = {
        .data = &data, .items = chosen_items(named, hold_out, count), .labels = classes.map};
    options.batch = std::min(options.batch, images.items.size());
    Session session(model, options);
    std::optional<Session> reference;
    if (!reference_path.empty()) {
        if (line.given("reference-size")) {
            options.set_input_size(model::input_size_option("reference-size", line.text("reference-size")));
        }
        reference.emplace(model::map_model(reference_path), options);
    }

    const EvaluationReport report = {
        .model = {model_path, session.input_size()},
        .reference = {reference_path, reference ? reference->input_size() : MapSize()},
        .data_path = data_path,
        .data = data,
        .class_order = classes.reading,
        .labels = images.labels,
        .model_classes = model.classes(),
        .model_class_names = model.class_names(),
        .evaluation = run(session, reference, images),
        .per_class = line.given("per-class"),
        .confusion = line.given("confusion"),
    };
    if (!report.evaluation.broken.empty()) {
        std::cerr << "data: left out: "
                  << model::printable_lines(
                         converter::broken_text(report.evaluation.broken, images.items.size()))
                  << '\n';
    }
    if (line.given("json")) {
        std::cout << evaluation_json(report).dump(2) << '\n';
    } else {
        print_evaluation(report);
    }
    return exit_done;
}

}  // namespace vgg19::tools
