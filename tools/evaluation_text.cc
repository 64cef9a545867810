#include "tools/evaluation_text.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <utility>
#include <vector>

#include "converter/evaluate/paired_difference.h"
#include "engine/labels/labels.h"
#include "engine/model/foreign_text.h"
#include "engine/model/map_size.h"
#include "tools/text.h"

namespace vgg19::tools {

namespace {

using converter::Accuracy;
using converter::Agreement;
using converter::Evaluation;
using converter::Interval;
using converter::PredictionCount;
using model::Json;

/// A larger matrix does not fit on a screen; the most frequent mistakes are listed instead.
constexpr std::size_t most_matrix_classes = 20;
constexpr std::size_t listed_mistakes = 40;

/// A class of the model by its own name, or by ImageNet's.
ImageNetClass known_class(const EvaluationReport& report, std::size_t index) {
    if (!report.model_class_names.empty()) return {"", report.model_class_names[index]};
    if (report.model_classes != imagenet_classes().size()) return {};
    return imagenet_classes()[index];
}

/// "tabby (281)", or "281" for a class without a name.
std::string class_text(const EvaluationReport& report, std::size_t index) {
    const ImageNetClass known = known_class(report, index);
    if (known.label.empty()) return std::to_string(index);
    return std::string(known.label) + " (" + std::to_string(index) + ")";
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? "-" : fixed(100 * converter::share(part, whole), 2);
}

std::string interval_text(std::uint64_t part, std::uint64_t whole) {
    const Interval interval = converter::wilson_interval(part, whole);
    return fixed(100 * interval.low, 2) + " to " + fixed(100 * interval.high, 2);
}

void add_share(Table& table, const std::string& what, std::uint64_t part, std::uint64_t whole) {
    table.add({what, grouped(part), percent(part, whole), interval_text(part, whole)});
}

void add_accuracy(Table& table, const std::string& whose, const Accuracy& accuracy) {
    add_share(table, whose + "top-1", accuracy.top1, accuracy.images);
    add_share(table, whose + "top-3", accuracy.top3, accuracy.images);
    add_share(table, whose + "top-5", accuracy.top5, accuracy.images);
}

/// How much top-1 the model loses against the reference, and how sure that is.
void print_drop(const Agreement& agreement) {
    const converter::PairedCounts counts = converter::paired_counts(agreement);
    const Interval interval = converter::drop_interval(counts);
    constexpr double points = 100;
    std::cout << "\ndrop of top-1: " << fixed(points * converter::drop(counts), 2)
              << " points, 95 % interval " << fixed(points * interval.low, 2) << " to "
              << fixed(points * interval.high, 2) << "; at most "
              << fixed(points * converter::drop_upper_bound(counts), 2) << " (one-sided 95 %)\n";
}

void print_totals(const EvaluationReport& report) {
    const Evaluation& evaluation = report.evaluation;
    Table table({"", "images", "%", "95 % interval"});
    add_accuracy(table, "", evaluation.total);
    if (evaluation.agreement) {
        const Agreement& agreement = *evaluation.agreement;
        add_accuracy(table, "reference's ", agreement.reference);
        add_share(table, "same top-1", agreement.same_top1, evaluation.total.images);
        add_share(table, "only the model right", agreement.only_model_right, evaluation.total.images);
        add_share(table, "only the reference right", agreement.only_reference_right, evaluation.total.images);
    }
    std::cout << table;
    if (!evaluation.agreement) return;
    print_drop(*evaluation.agreement);
    std::cout << "cosine of the logits: mean " << fixed(evaluation.agreement->mean_cosine, 6) << ", smallest "
              << fixed(evaluation.agreement->smallest_cosine, 6) << " ("
              << model::printable_lines(report.data.name(evaluation.agreement->smallest_cosine_item))
              << ")\n";
}

void print_classes(const EvaluationReport& report) {
    const std::vector<std::string> names = report.data.class_names();
    Table table({"class", "model's class", "images", "top-1 %", "95 % interval", "top-3 %", "top-5 %"});
    for (std::size_t label = 0; label < names.size(); ++label) {
        const Accuracy& accuracy = report.evaluation.classes[label];
        table.add({names[label], class_text(report, report.labels[label]), grouped(accuracy.images),
                   percent(accuracy.top1, accuracy.images), interval_text(accuracy.top1, accuracy.images),
                   percent(accuracy.top3, accuracy.images), percent(accuracy.top5, accuracy.images)});
    }
    std::cout << '\n' << table;
}

/// One line per class, one column per predicted class.
void print_matrix(const EvaluationReport& report) {
    const std::vector<std::string> names = report.data.class_names();
    std::vector<std::vector<std::uint64_t>> counts(names.size(),
                                                   std::vector<std::uint64_t>(names.size() + 1));
    for (const PredictionCount& count : report.evaluation.predictions) {
        // If several classes map to the same model class, a correct answer counts for the image's own class.
        auto column = static_cast<std::size_t>(
            std::find(report.labels.begin(), report.labels.end(), count.predicted) - report.labels.begin());
        if (report.labels[count.data_class] == count.predicted) column = count.data_class;
        counts[count.data_class][column] += count.images;
    }
    std::vector<std::string> head = {"class, taken for:"};
    head.insert(head.end(), names.begin(), names.end());
    head.emplace_back("others");
    Table table(head);
    for (std::size_t label = 0; label < names.size(); ++label) {
        std::vector<std::string> row = {names[label]};
        for (const std::uint64_t count : counts[label]) row.push_back(grouped(count));
        table.add(row);
    }
    std::cout << '\n' << table;
}

void print_mistakes(const EvaluationReport& report) {
    std::vector<PredictionCount> mistakes;
    for (const PredictionCount& count : report.evaluation.predictions) {
        if (count.predicted != report.labels[count.data_class]) mistakes.push_back(count);
    }
    std::stable_sort(mistakes.begin(), mistakes.end(),
                     [](const PredictionCount& a, const PredictionCount& b) { return a.images > b.images; });
    mistakes.resize(std::min(mistakes.size(), listed_mistakes));

    const std::vector<std::string> names = report.data.class_names();
    Table table({"class", "taken for", "images", "% of the class"});
    for (const PredictionCount& mistake : mistakes) {
        table.add({names[mistake.data_class], class_text(report, mistake.predicted), grouped(mistake.images),
                   percent(mistake.images, report.evaluation.classes[mistake.data_class].images)});
    }
    std::cout << '\n' << table;
}

Json share_json(std::uint64_t part, std::uint64_t whole) {
    const double value = converter::share(part, whole);
    return std::isnan(value) ? Json() : Json(value);
}

Json interval_json(std::uint64_t part, std::uint64_t whole) {
    const Interval interval = converter::wilson_interval(part, whole);
    return Json::Array{interval.low, interval.high};
}

void set_accuracy(Json& json, const Accuracy& accuracy) {
    const std::uint64_t images = accuracy.images;
    json.set("images", images);
    json.set("top1", share_json(accuracy.top1, images));
    json.set("top3", share_json(accuracy.top3, images));
    json.set("top5", share_json(accuracy.top5, images));
    json.set("top1_interval", interval_json(accuracy.top1, images));
    json.set("top3_interval", interval_json(accuracy.top3, images));
    json.set("top5_interval", interval_json(accuracy.top5, images));
}

void set_class(Json& json, const char* key, const EvaluationReport& report, std::size_t index) {
    json.set(key, std::uint64_t{index});
    const ImageNetClass known = known_class(report, index);
    json.set("synset", known.synset);
    json.set("label", known.label);
}

Json classes_json(const EvaluationReport& report) {
    const std::vector<std::string> names = report.data.class_names();
    Json classes = Json::Array{};
    for (std::size_t label = 0; label < names.size(); ++label) {
        Json entry;
        entry.set("name", names[label]);
        set_class(entry, "class", report, report.labels[label]);
        set_accuracy(entry, report.evaluation.classes[label]);
        classes.push(entry);
    }
    return classes;
}

Json confusion_json(const EvaluationReport& report) {
    const std::vector<std::string> names = report.data.class_names();
    Json confusion = Json::Array{};
    for (const PredictionCount& count : report.evaluation.predictions) {
        Json entry;
        entry.set("name", names[count.data_class]);
        set_class(entry, "predicted", report, count.predicted);
        entry.set("images", count.images);
        confusion.push(entry);
    }
    return confusion;
}

Json reference_json(const EvaluationReport& report, const Agreement& agreement) {
    const std::uint64_t images = report.evaluation.total.images;
    Json json;
    json.set("model", report.reference.path);
    json.set("size", model::size_json(report.reference.size));
    set_accuracy(json, agreement.reference);
    json.set("same_top1", share_json(agreement.same_top1, images));
    json.set("same_top1_interval", interval_json(agreement.same_top1, images));
    json.set("only_model_right", agreement.only_model_right);
    json.set("only_reference_right", agreement.only_reference_right);
    const converter::PairedCounts counts = converter::paired_counts(agreement);
    const Interval interval = converter::drop_interval(counts);
    json.set("top1_drop", converter::drop(counts));
    json.set("top1_drop_interval", Json::Array{interval.low, interval.high});
    json.set("top1_drop_upper_bound", converter::drop_upper_bound(counts));
    json.set("mean_cosine", agreement.mean_cosine);
    json.set("smallest_cosine", agreement.smallest_cosine);
    json.set("smallest_cosine_image", report.data.name(agreement.smallest_cosine_item));
    return json;
}

void set_data(Json& json, const EvaluationReport& report) {
    json.set("class_order", report.class_order);
    Json left_out = Json::Array{};
    for (const converter::LeftOut& entry : report.data.source().left_out) {
        left_out.push(Json().set("kind", entry.kind).set("files", std::uint64_t{entry.files}));
    }
    json.set("left_out", left_out);
    Json broken = Json::Array{};
    for (const converter::BrokenPicture& picture : report.evaluation.broken) {
        broken.push(report.data.name(picture.item));
    }
    json.set("broken", broken);
}

void print_network(const char* role, const EvaluationReport::Network& network) {
    std::cout << role << network.path << " at " << model::pixels_text(network.size) << '\n';
}

}  // namespace

void print_evaluation(const EvaluationReport& report) {
    const bool has_reference = report.evaluation.agreement.has_value();
    print_network("model:     ", report.model);
    if (has_reference) print_network("reference: ", report.reference);
    std::cout << "data:      " << report.data_path << ", " << grouped(report.evaluation.total.images)
              << " of " << grouped(report.data.size()) << " images, " << report.labels.size() << " classes\n"
              << "classes:   " << model::printable_lines(report.class_order) << '\n';
    if (const std::size_t broken = report.evaluation.broken.size(); broken > 0) {
        std::cout << "broken:    " << grouped(broken) << (broken == 1 ? " image is" : " images are")
                  << " left out\n";
    }
    std::cout << '\n';
    print_totals(report);
    if (report.per_class) print_classes(report);
    if (!report.confusion) return;
    if (report.labels.size() <= most_matrix_classes) {
        print_matrix(report);
    } else {
        print_mistakes(report);
    }
}

Json evaluation_json(const EvaluationReport& report) {
    Json json;
    json.set("model", report.model.path);
    json.set("data", report.data_path);
    json.set("size", model::size_json(report.model.size));
    set_accuracy(json, report.evaluation.total);
    set_data(json, report);
    if (report.per_class) json.set("classes", classes_json(report));
    if (report.confusion) json.set("confusion", confusion_json(report));
    if (report.evaluation.agreement) {
        json.set("reference", reference_json(report, *report.evaluation.agreement));
    }
    return json;
}

}  // namespace vgg19::tools
