#include "converter/refit/scan.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <locale>
#include <span>
#include <sstream>
#include <utility>

#include "converter/prune/prune.h"
#include "converter/refit/layer_pass.h"
#include "kernels/common/aligned_buffer.h"
#include "kernels/common/blocked_layout.h"
#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

/// Replaces removed channels by linear combinations of the kept ones.
class Replacement {
  public:
    Replacement(const ChannelMap& map, std::vector<std::size_t> kept, std::vector<std::size_t> removed)
        : kept_(std::move(kept)), removed_(std::move(removed)), weights_(kept_.size() * removed_.size()) {
        for (std::size_t r = 0; r < removed_.size(); ++r) {
            for (std::size_t k = 0; k < kept_.size(); ++k) {
                weights_[k * removed_.size() + r] = map.weights[removed_[r] * kept_.size() + k];
            }
            constants_.push_back(map.constants[removed_[r]]);
        }
    }

    /// In the map of one image.
    void apply(const MapShape& shape, float* map, int threads) const {
        kernels::parallel_for(threads, shape.size.height, [&](std::size_t row) {
            std::vector<float> values(removed_.size());
            for (std::size_t column = 0; column < shape.size.width; ++column) {
                const auto at = [&](std::size_t channel) -> float& {
                    return map[kernels::blocked_index(shape.channels, shape.size.height, shape.size.width,
                                                      shape.block, 0, channel, row, column)];
                };
                values = constants_;
                for (std::size_t k = 0; k < kept_.size(); ++k) {
                    const float given = at(kept_[k]);
                    if (given == 0) continue;
                    const float* weights = &weights_[k * removed_.size()];
                    for (std::size_t r = 0; r < values.size(); ++r) values[r] += given * weights[r];
                }
                for (std::size_t r = 0; r < values.size(); ++r) at(removed_[r]) = values[r];
            }
        });
    }

  private:
    std::vector<std::size_t> kept_;
    std::vector<std::size_t> removed_;
    std::vector<float> weights_;  ///< [kept][removed]
    std::vector<float> constants_;
};

/// One point of the scan while it is measured.
struct Trial {
    std::size_t layer = 0;  ///< index in the results
    std::size_t point = 0;
    std::size_t reader = 0;  ///< whose input is changed
    Replacement replacement;
    double squared_error = 0;
    std::size_t changed = 0;
};

struct Expected {
    double squared_sum = 0;
    std::size_t images = 0;
};

std::size_t prediction(std::span<const float> logits) {
    return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

void compare(std::span<const float> expected, std::span<const float> found, Trial& trial) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double difference = static_cast<double>(found[i]) - static_cast<double>(expected[i]);
        trial.squared_error += difference * difference;
    }
    if (prediction(expected) != prediction(found)) ++trial.changed;
}

/// The hidden layers of a classifier are much wider than what they do needs, and all their points together
/// would take longer than those of the convolutions.
std::span<const double> ratios(Part part) {
    static constexpr double of_convolutions[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
    static constexpr double of_hidden_layers[] = {0.75, 0.875, 0.9375, 0.96875, 0.984375};
    if (part == Part::features) return of_convolutions;
    return of_hidden_layers;
}

/// How the kept channels of a layer stand for all.
using Approximation = std::function<ChannelMap(std::size_t place, std::span<const std::size_t> kept)>;

std::vector<Trial> make_trials(const model::Network& network,
                               const std::vector<std::vector<std::size_t>>& orders,
                               const Approximation& approximation, std::vector<LayerScan>& layers) {
    std::vector<Trial> trials;
    const std::vector<PrunableLayer> prunable = prunable_layers(network);
    for (std::size_t place = 0; place < orders.size(); ++place) {
        const std::vector<std::size_t>& order = orders[place];
        if (order.empty()) continue;
        layers.push_back({prunable[place].name(), place, {}});
        for (const double ratio : ratios(prunable[place].part)) {
            const auto count =
                static_cast<std::size_t>(std::nearbyint(ratio * static_cast<double>(order.size())));
            if (count == 0 || count >= order.size()) continue;
            const auto middle = order.begin() + static_cast<std::ptrdiff_t>(count);
            std::vector<std::size_t> removed(order.begin(), middle);
            std::vector<std::size_t> kept(middle, order.end());
            std::sort(removed.begin(), removed.end());
            std::sort(kept.begin(), kept.end());
            const ChannelMap map = approximation(place, kept);
            trials.push_back({layers.size() - 1, layers.back().points.size(), prunable[place].reader,
                              Replacement(map, kept, std::move(removed))});
            layers.back().points.push_back({.ratio = ratio, .removed = count});
        }
    }
    return trials;
}

/// The inputs of all layers except the first, for one batch.
class LayerInputs {
  public:
    explicit LayerInputs(const LayerPass& pass) : inputs_(pass.plan().layer_count()) {
        for (std::size_t layer = 1; layer < inputs_.size(); ++layer) {
            const std::size_t bytes = pass.batch() * pass.input_shape(layer).image_size() * sizeof(float);
            inputs_[layer] = kernels::AlignedBuffer(bytes);
            largest_ = std::max(largest_, bytes);
        }
    }

    std::size_t largest() const { return largest_; }
    void keep(std::size_t layer, const float* values) {
        if (layer == 0) return;
        kernels::AlignedBuffer& input = inputs_[layer];
        std::copy_n(values, input.size() / sizeof(float), input.as<float>());
    }
    std::span<const float> of(std::size_t layer) const {
        return {inputs_[layer].as<float>(), inputs_[layer].size() / sizeof(float)};
    }

  private:
    std::vector<kernels::AlignedBuffer> inputs_;
    std::size_t largest_ = 0;
};

}  // namespace

std::vector<LayerScan> scan(const model::ModelFile& model,
                            const std::vector<std::vector<std::size_t>>& orders,
                            const ChannelStatistics& statistics, const CalibrationImages& images,
                            const model::Progress& progress) {
    require_fp32_throughout(model);
    std::vector<LayerScan> layers;
    LayerPass pass(model, images.session);
    const layers::Execution& execution = pass.plan().execution;
    const int threads = execution.threads;
    const auto approximation = [&](std::size_t place, std::span<const std::size_t> kept) {
        const std::size_t convolutions = statistics.moments.size();
        if (place < convolutions) return reconstruct_channels(statistics.moments[place], kept);
        return reconstruct_hidden(statistics.hidden[place - convolutions], kept, images.items, execution);
    };
    std::vector<Trial> trials = make_trials(model.network(), orders, approximation, layers);
    const std::size_t classes = model.network().classes();
    const std::size_t layer_count = pass.plan().layer_count();
    LayerInputs inputs(pass);
    kernels::AlignedBuffer changed_input(inputs.largest());
    std::vector<float> expected(pass.batch() * classes);
    Expected sums;
    for_each_batch(model, images, pass, [&](const ImageBatch& batch, const float* input) {
        pass.program().run(input, expected.data(), {},
                           [&](std::size_t layer, const float* values) { inputs.keep(layer, values); });
        for (std::size_t i = 0; i < batch.count * classes; ++i) {
            sums.squared_sum += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
        }
        sums.images += batch.count;
        for (std::size_t index = 0; index < trials.size(); ++index) {
            Trial& trial = trials[index];
            const std::size_t layer = trial.reader;
            const MapShape& shape = pass.input_shape(layer);
            const auto original = inputs.of(layer);
            std::copy(original.begin(), original.end(), changed_input.as<float>());
            for (std::size_t image = 0; image < batch.count; ++image) {
                trial.replacement.apply(shape, changed_input.as<float>() + image * shape.image_size(),
                                        threads);
            }
            const float* logits = pass.program().run_layers(layer, layer_count, changed_input.as<float>());
            for (std::size_t image = 0; image < batch.count; ++image) {
                compare(std::span(expected).subspan(image * classes, classes),
                        {logits + image * classes, classes}, trial);
            }
            if (progress) {
                progress(batch.first * trials.size() + (index + 1) * batch.count,
                         images.items.size() * trials.size());
            }
        }
    });
    for (const Trial& trial : trials) {
        ScanPoint& point = layers[trial.layer].points[trial.point];
        point.relative_l2 = sums.squared_sum > 0 ? std::sqrt(trial.squared_error / sums.squared_sum) : 0;
        point.changed_top1 = static_cast<double>(trial.changed) / static_cast<double>(sums.images);
    }
    return layers;
}

std::string scan_csv(const std::vector<LayerScan>& layers) {
    std::ostringstream csv;
    csv.imbue(std::locale::classic());
    csv.precision(6);
    csv << "layer,ratio,removed,relative_l2,changed_top1\n";
    for (const LayerScan& layer : layers) {
        for (const ScanPoint& point : layer.points) {
            csv << layer.layer << ',' << point.ratio << ',' << point.removed << ',' << point.relative_l2
                << ',' << point.changed_top1 << '\n';
        }
    }
    return csv.str();
}

}  // namespace vgg19::converter
