#include "converter/evaluate/evaluate.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "converter/evaluate/class_order.h"
#include "converter/evaluate/label_map.h"
#include "engine/model/model_access.h"
#include "python/library/pictures_to_use.h"
#include "python/library/surgery.h"
#include "vgg19/error.h"
#include "vgg19/session.h"

namespace vgg19::python {

namespace {

converter::LabelOptions label_options(const EvaluateOptions& options) {
    if (!options.label_map.empty() && !options.class_order.empty()) {
        throw Error(ErrorKind::usage, "label_map and class_order exclude each other");
    }
    converter::LabelOptions labels;
    labels.file = options.label_map;
    if (!options.class_order.empty()) labels.order = converter::class_order_named(options.class_order);
    return labels;
}

Share share_of(std::uint64_t count, std::uint64_t pictures) {
    const converter::Interval interval = converter::wilson_interval(count, pictures);
    return {count, interval.low, interval.high};
}

Accuracy described(const converter::Accuracy& accuracy) {
    return {accuracy.images, share_of(accuracy.top1, accuracy.images),
            share_of(accuracy.top3, accuracy.images), share_of(accuracy.top5, accuracy.images)};
}

Comparison described(const converter::Agreement& agreement, const converter::DataSet& data,
                     std::uint64_t pictures) {
    return {.reference = described(agreement.reference),
            .same_top1 = share_of(agreement.same_top1, pictures),
            .only_model_right = agreement.only_model_right,
            .only_reference_right = agreement.only_reference_right,
            .mean_cosine = agreement.mean_cosine,
            .smallest_cosine = agreement.smallest_cosine,
            .smallest_cosine_picture = data.name(agreement.smallest_cosine_item)};
}

Evaluation described(const converter::Evaluation& found, const converter::DataSet& data,
                     const converter::ClassMapping& classes) {
    Evaluation result{.total = described(found.total),
                      .classes = {},
                      .predictions = {},
                      .comparison = {},
                      .class_order = classes.reading,
                      .broken = problems(found.broken)};
    const std::vector<std::string> names = data.class_names();
    for (std::size_t i = 0; i < names.size(); ++i) {
        result.classes.push_back({names[i], classes.map[i], described(found.classes[i])});
    }
    for (const converter::PredictionCount& count : found.predictions) {
        result.predictions.push_back({count.data_class, count.predicted, count.images});
    }
    if (found.agreement) result.comparison = described(*found.agreement, data, found.total.images);
    return result;
}

}  // namespace

Evaluation evaluate(const Model& model, const std::optional<Model>& reference, const EvaluateOptions& options,
                    const Progress& progress) {
    const converter::LabelOptions labels = label_options(options);
    model::file_of(model).require_classifier();
    const auto data = open_pictures(options.pictures, converter::DataUse::evaluation);
    const converter::ClassMapping classes = converter::map_classes(
        *data, options.pictures.pictures.string(), {model.classes(), model.class_names()}, labels);
    const converter::EvaluationImages images = {
        .data = data.get(),
        .items = converter::spread_items(data->size(), options.pictures.count),
        .labels = classes.map};
    SessionOptions session_options;
    session_options.threads = options.pictures.threads;
    session_options.isa = options.pictures.isa;
    session_options.set_input_size(options.pictures.size);
    session_options.batch = std::min(options.batch, images.items.size());
    Session session(model, session_options);
    std::optional<Session> other;
    if (reference) other.emplace(*reference, session_options);
    return described(
        converter::evaluate(session, images, other ? &*other : nullptr, part(progress, "evaluating")), *data,
        classes);
}

}  // namespace vgg19::python
