// Judges a network in training on images that it is not trained on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "converter/evaluate/evaluate.h"
#include "converter/finetune/objective.h"
#include "converter/finetune/teacher.h"
#include "converter/finetune/training_network.h"

namespace vgg19::converter {

/// How a network does on held-out images, which are shown as they are.
struct HeldOutScore {
    std::uint64_t images = 0;
    double loss = 0;                               ///< mean of the objective
    std::optional<std::uint64_t> top1;             ///< images predicted correctly, if they have labels
    std::optional<std::uint64_t> same_as_teacher;  ///< images predicted as by the teacher, if there is one

    /// What is compared first: predictions that are correct or, without labels, the teacher's.
    std::uint64_t right() const { return top1 ? *top1 : same_as_teacher.value_or(0); }
};

/// Whether more predictions are right or, if as many are, the loss is lower.
bool is_better(const HeldOutScore& after, const HeldOutScore& before);

class HeldOutJudge {
  public:
    /// `images` need labels unless there is a `teacher`, which may be null, and must outlive this object.
    HeldOutJudge(EvaluationImages images, const Objective& objective, Teacher* teacher)
        : images_(std::move(images)), objective_(objective), teacher_(teacher) {}

    /// The score of a network that expects images of this kind. `progress` counts images. Throws Error
    /// (bad_input) for an image that cannot be read.
    HeldOutScore judge(TrainingNetwork& network, const Preprocessing& preprocessing,
                       const model::Progress& progress);

  private:
    EvaluationImages images_;
    Objective objective_;
    Teacher* teacher_;
    std::vector<float> teachers_logits_;  ///< of all images, kept for the next call; empty before the first
};

}  // namespace vgg19::converter
