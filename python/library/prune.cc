#include "converter/prune/prune.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/prune/criterion.h"
#include "converter/refit/least_loss.h"
#include "converter/refit/moments.h"
#include "converter/refit/refit.h"
#include "converter/refit/scan.h"
#include "converter/refit/target.h"
#include "engine/model/json_file.h"
#include "engine/model/number_text.h"
#include "python/library/pictures_to_use.h"
#include "python/library/surgery.h"
#include "vgg19/error.h"

namespace vgg19::python {

namespace {

constexpr std::size_t most_scanned_pictures = 128;

converter::PruneOptions plan_options(const PruneOptions& options, const model::ModelFile& model) {
    converter::PruneOptions plan{.ratio = options.ratio,
                                 .layers = options.layers,
                                 .round_to = options.round_to,
                                 .criterion = converter::criterion_named(options.criterion),
                                 .seed = options.seed};
    if (options.target_macs && plan.layers.empty()) {
        for (const auto& layer : model.network().convolutions()) plan.layers.push_back(layer.features_index);
    }
    return plan;
}

/// What of a call stays the same while it prunes.
class Work {
  public:
    Work(const model::ModelFile& model, const PruneOptions& options, const Progress& progress)
        : model_(model), options_(options), progress_(progress), plan_options_(plan_options(options, model)) {
        const bool by_activation = plan_options_.criterion == converter::Criterion::activation;
        if (!options.pictures) {
            if (options.target_macs || by_activation) {
                throw Error(ErrorKind::usage,
                            std::string(options.target_macs ? "target_macs" : "criterion activation") +
                                ": expected pictures to measure with, found none");
            }
            return;
        }
        converter::require_fp32_throughout(model);
        pictures_.emplace(*options.pictures, model, progress);
        if (!options.target_macs && !by_activation) return;
        statistics_ = converter::measure_statistics(model, pictures_->images(), false,
                                                    part(progress, "measuring channels"));
    }

    const std::optional<CalibrationPictures>& pictures() const { return pictures_; }

    converter::PrunePlan plan() const {
        if (!options_.plan.empty()) {
            const std::string name = options_.plan.string();
            return converter::PrunePlan::from_json(model::read_json(name), name);
        }
        const converter::ActivationOrder order = statistics_.empty()
                                                     ? converter::ActivationOrder()
                                                     : converter::by_activation(model_, statistics_);
        if (options_.target_macs) return plan_for_target(*options_.target_macs, order);
        converter::PrunePlan plan = converter::plan_pruning(model_, plan_options_, order);
        if (!statistics_.empty()) plan.origin.append(" ").append(calibration_text());
        return plan;
    }

    converter::Refit refit(converter::PrunePlan& plan) const {
        converter::Refit refit =
            converter::refit(model_, plan, pictures_->images(), {}, part(progress_, "refitting"));
        if (statistics_.empty()) plan.origin.append(" ").append(calibration_text());
        plan.origin += " (refitted)";
        return refit;
    }

  private:
    std::string calibration_text() const {
        return pictures_->text() + (options_.pictures->exif ? "" : " --no-exif");
    }

    converter::PrunePlan plan_for_target(double share, const converter::ActivationOrder& order) const {
        const auto orders = converter::removal_orders(model_, plan_options_, order);
        const auto scanned =
            converter::scan(model_, orders, statistics_, pictures_->at_most(most_scanned_pictures),
                            part(progress_, "scanning"));
        const auto removed = converter::removed_for_limits(
            model_.network(), scanned,
            {converter::mac_limit(model_.network(), share, pictures_->images().session.input_size())},
            plan_options_.round_to);
        return converter::plan_of_order(model_.network(), orders, removed,
                                        converter::prune_origin("--target-macs " + shortest_text(share),
                                                                model_.network(), plan_options_) +
                                            " " + calibration_text());
    }

    const model::ModelFile& model_;
    const PruneOptions& options_;
    const Progress& progress_;
    converter::PruneOptions plan_options_;
    std::optional<CalibrationPictures> pictures_;
    converter::ChannelStatistics statistics_;  ///< empty unless the options need them
};

}  // namespace

Pruning prune(const Model& model, const std::filesystem::path& destination, const PruneOptions& options,
              const Progress& progress) {
    const WholeModel whole(model);
    check_destination(whole.file(), destination);
    const Work work(whole.file(), options, progress);
    converter::PrunePlan plan = work.plan();
    Pruning result;
    if (work.pictures() && options.refit) {
        const converter::Refit refit = work.refit(plan);
        for (const converter::LayerRefit& layer : refit.layers) {
            result.refitted.push_back({layer.layer, layer.unknowns, layer.samples, layer.ridge, layer.error});
        }
        converter::prune_model(whole.file().with(refit.tensors.tensors()), plan, destination,
                               part(progress, "writing"));
    } else {
        converter::prune_model(whole.file(), plan, destination, part(progress, "writing"));
    }
    for (converter::LayerCut& cut : plan.cuts) {
        result.layers.push_back({cut.layer(), cut.channels, std::move(cut.removed)});
    }
    if (work.pictures()) {
        result.broken = problems(work.pictures()->broken());
        result.pictures = work.pictures()->images().items.size();
    }
    return result;
}

}  // namespace vgg19::python
