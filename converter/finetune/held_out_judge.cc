#include "converter/finetune/held_out_judge.h"

#include <algorithm>

#include "converter/evaluate/image_reader.h"
#include "converter/finetune/training_data.h"

namespace vgg19::converter {

bool is_better(const HeldOutScore& after, const HeldOutScore& before) {
    if (after.right() != before.right()) return after.right() > before.right();
    return after.loss < before.loss;
}

HeldOutScore HeldOutJudge::judge(TrainingNetwork& network, const Preprocessing& preprocessing,
                                 const model::Progress& progress) {
    const std::size_t classes = network.classes();
    const std::vector<InputFormat> formats = input_formats({preprocessing, network.input_size()}, teacher_);
    const bool asks_teacher = teacher_ != nullptr && teachers_logits_.empty();
    std::vector<float> logits;
    BatchResult sum;
    ImageReader reader(*images_.data, images_.items, formats, network.batch());
    while (const ImageBatch* batch = reader.next()) {
        const std::size_t image = batch->inputs.front().size() / network.batch();
        logits.resize(batch->count * classes);
        network.logits(std::span(batch->inputs.front()).first(batch->count * image), logits);
        if (asks_teacher) {
            teacher_->run(batch->inputs.back(), batch->count);
            const std::span<const float> asked = teacher_->logits();
            teachers_logits_.insert(teachers_logits_.end(), asked.begin(), asked.end());
        }
        const std::vector<std::size_t> labels = labels_of(images_, batch->items);
        Targets targets = {.labels = labels, .teacher_logits = {}};
        if (teacher_ != nullptr) {
            targets.teacher_logits =
                std::span(teachers_logits_).subspan(batch->first * classes, batch->count * classes);
        }
        sum += apply_objective(objective_, logits, classes, targets, 1);
        if (progress) progress(batch->done, images_.items.size());
    }
    HeldOutScore score{.images = images_.items.size(),
                       .loss = sum.loss / static_cast<double>(images_.items.size())};
    if (!images_.labels.empty()) score.top1 = sum.top1;
    if (teacher_ != nullptr) score.same_as_teacher = sum.same_as_teacher;
    return score;
}

}  // namespace vgg19::converter
