#include "converter/evaluate/evaluate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "converter/cosine.h"
#include "converter/evaluate/image_reader.h"
#include "engine/labels/class_names.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

InputFormat format_of(const Session& session) {
    return {session.model().preprocessing(), session.input_size()};
}

void require_alike(const char* what, std::size_t expected, std::size_t found) {
    if (found == expected) return;
    throw Error(ErrorKind::usage, "the reference: expected the model's " + std::to_string(expected) + " " +
                                      what + ", found " + std::to_string(found));
}

/// An index must mean the same class in both models, as far as they name their classes.
void require_same_classes(const Model& model, const Model& reference) {
    require_alike("classes", model.classes(), reference.classes());
    const std::vector<std::string>& names = model.class_names();
    const std::vector<std::string>& others = reference.class_names();
    const auto other = first_other_class(names, others);
    if (!other) return;
    throw Error(ErrorKind::usage, "the reference: expected the model's classes, found another: class " +
                                      std::to_string(*other) + " is " + in_quotes(others[*other]) +
                                      ", and the model's is " + in_quotes(names[*other]));
}

/// A session, which of a batch's inputs it reads, and memory for its logits.
class Runner {
  public:
    Runner(Session& session, std::size_t input)
        : session_(session), input_(input), logits_(session.batch() * session.model().classes()) {}

    void run(const ImageBatch& batch) { session_.run(batch.inputs[input_], logits_); }

    std::span<const float> logits(std::size_t image, const std::string& name) const {
        const std::size_t classes = session_.model().classes();
        const auto logits = std::span<const float>(logits_).subspan(image * classes, classes);
        if (!std::all_of(logits.begin(), logits.end(), [](float value) { return std::isfinite(value); })) {
            throw Error(ErrorKind::bad_input, name + ": expected finite logits from model '" +
                                                  session_.model().variant() + "', found others");
        }
        return logits;
    }

  private:
    Session& session_;
    std::size_t input_;
    std::vector<float> logits_;
};

std::size_t prediction(std::span<const float> logits) {
    return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// Accumulates results in the order of items.
class Tally {
  public:
    Tally(const LabelMap& labels, bool has_reference) : labels_(labels) {
        result_.classes.resize(labels.size());
        if (has_reference) result_.agreement.emplace();
    }

    void add(std::size_t label, std::span<const float> logits) {
        const std::size_t rank = rank_of(logits, labels_[label]);
        result_.total.add(rank);
        result_.classes[label].add(rank);
        ++predictions_[{label, prediction(logits)}];
    }

    void compare(std::size_t item, std::size_t label, std::span<const float> logits,
                 std::span<const float> reference) {
        Agreement& agreement = *result_.agreement;
        const std::size_t target = labels_[label];
        const std::size_t found = prediction(logits);
        const std::size_t expected = prediction(reference);
        agreement.reference.add(rank_of(reference, target));
        if (found == expected) ++agreement.same_top1;
        if (found == target && expected != target) ++agreement.only_model_right;
        if (found != target && expected == target) ++agreement.only_reference_right;

        const double cosine = cosine_of(logits, reference);
        if (agreement.reference.images == 1 || cosine < agreement.smallest_cosine) {
            agreement.smallest_cosine = cosine;
            agreement.smallest_cosine_item = item;
        }
        cosines_ += cosine;
    }

    Evaluation result(std::vector<BrokenPicture> broken) {
        result_.broken = std::move(broken);
        for (const auto& [place, images] : predictions_) {
            result_.predictions.push_back({place.first, place.second, images});
        }
        if (result_.agreement) {
            result_.agreement->mean_cosine = cosines_ / static_cast<double>(result_.total.images);
        }
        return std::move(result_);
    }

  private:
    const LabelMap& labels_;
    Evaluation result_;
    std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> predictions_;
    double cosines_ = 0;
};

/// The input formats of one or two networks, without repetition.
std::vector<InputFormat> formats(const Session& model, const Session* reference) {
    std::vector<InputFormat> result = {format_of(model)};
    if (reference != nullptr && !(format_of(*reference) == result.front())) {
        result.push_back(format_of(*reference));
    }
    return result;
}

}  // namespace

Evaluation evaluate(Session& model, const EvaluationImages& images, Session* reference,
                    const model::Progress& progress) {
    if (reference != nullptr) {
        require_same_classes(model.model(), reference->model());
        require_alike("images per run", model.batch(), reference->batch());
    }
    const std::vector<InputFormat> inputs = formats(model, reference);
    Runner runner(model, 0);
    std::optional<Runner> other;
    if (reference != nullptr) other.emplace(*reference, inputs.size() - 1);

    Tally tally(images.labels, reference != nullptr);
    ImageReader reader(*images.data, images.items, inputs, model.batch(), BrokenImages::are_left_out);
    while (const ImageBatch* batch = reader.next()) {
        runner.run(*batch);
        if (other) other->run(*batch);
        for (std::size_t i = 0; i < batch->count; ++i) {
            const std::size_t item = batch->items[i];
            const std::size_t label = images.data->label(item).value();
            const std::string name = images.data->name(item);
            const std::span<const float> logits = runner.logits(i, name);
            tally.add(label, logits);
            if (other) tally.compare(item, label, logits, other->logits(i, name));
        }
        if (progress) progress(batch->done, images.items.size());
    }
    return tally.result(reader.broken());
}

}  // namespace vgg19::converter
