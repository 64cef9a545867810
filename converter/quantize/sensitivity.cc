#include "converter/quantize/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <locale>
#include <span>
#include <sstream>

#include "converter/cosine.h"

namespace vgg19::converter {

namespace {

constexpr const char* winograd = "winograd";
constexpr const char* winograd_f4x4 = "winograd_f4x4";

/// Sums of squares.
struct Squares {
    double expected = 0;
    double difference = 0;
};

Squares squares_of(std::span<const float> expected, std::span<const float> found) {
    Squares sums;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto x = static_cast<double>(expected[i]);
        const auto y = static_cast<double>(found[i]);
        sums.expected += x * x;
        sums.difference += (y - x) * (y - x);
    }
    return sums;
}

/// Computes the members that follow from the logits.
void compare(std::span<const float> expected, std::span<const float> found, std::size_t classes,
             Sensitivity& result) {
    const std::size_t images = expected.size() / classes;
    double norm = 0;
    double difference = 0;
    double cosine = 0;
    std::size_t same = 0;
    for (std::size_t image = 0; image < images; ++image) {
        const auto wanted = expected.subspan(image * classes, classes);
        const auto given = found.subspan(image * classes, classes);
        const Squares sums = squares_of(wanted, given);
        norm += sums.expected;
        difference += sums.difference;
        cosine += cosine_of(wanted, given);
        const auto top = [](std::span<const float> logits) {
            return std::max_element(logits.begin(), logits.end()) - logits.begin();
        };
        if (top(wanted) == top(given)) ++same;
    }
    result.relative_l2 = norm > 0 ? std::sqrt(difference / norm) : 0;
    result.cosine = cosine / static_cast<double>(images);
    result.same_prediction = static_cast<double>(same) / static_cast<double>(images);
}

/// The tensors of one layer, for one way of running it.
struct Trial {
    Sensitivity result;
    std::vector<model::Tensor> tensors;
};

std::vector<Trial> trials_of(const model::ModelFile& model, const FullQuantization& quantization) {
    std::vector<Trial> trials;
    for (const QuantizedConvolution& layer : quantization.convolutions) {
        trials.push_back({{.layer = layer.name, .way = "direct"}, layer.tensors(WinogradTiles{})});
        trials.push_back({{.layer = layer.name, .way = winograd}, layer.tensors({.f2x2 = true})});
        trials.push_back({{.layer = layer.name, .way = winograd_f4x4}, layer.tensors({.f4x4 = true})});
    }
    for (const QuantizedDense& layer : quantization.dense_layers) {
        trials.push_back({{.layer = layer.layer.name, .way = "dense"}, layer.tensors(model)});
    }
    return trials;
}

std::string kernel_of(const CalibrationRun& run, const model::Network& network, const std::string& layer) {
    for (std::size_t i = 0; i < network.convolutions().size(); ++i) {
        if (network.convolutions()[i].name == layer) return run.convolution_kernels.at(i);
    }
    return "";
}

}  // namespace

std::vector<Sensitivity> measure_sensitivity(const model::ModelFile& model,
                                             const FullQuantization& quantization,
                                             const CalibrationImages& images, const ImageProgress& progress) {
    std::vector<Trial> trials = trials_of(model, quantization);
    const std::uint64_t total = (trials.size() + 1) * images.items.size();
    std::uint64_t done_before = 0;
    const auto run = [&](const model::ModelFile& variant, const std::string& way) {
        CalibrationImages forced = images;
        if (way == winograd || way == winograd_f4x4) forced.session.convolution = winograd;
        CalibrationRun result = run_images(variant, forced, [&](std::uint64_t done, std::uint64_t) {
            if (progress) progress(done_before + done, total);
        });
        done_before += images.items.size();
        return result;
    };

    const std::vector<float> expected = run(model, "").logits;
    std::vector<Sensitivity> results;
    for (Trial& trial : trials) {
        const CalibrationRun found = run(model.with(trial.tensors), trial.result.way);
        trial.result.kernel = kernel_of(found, model.network(), trial.result.layer);
        compare(expected, found.logits, model.network().classes(), trial.result);
        results.push_back(std::move(trial.result));
    }
    std::stable_sort(results.begin(), results.end(), [](const Sensitivity& a, const Sensitivity& b) {
        return a.relative_l2 > b.relative_l2;
    });
    return results;
}

std::string sensitivity_table(const std::vector<Sensitivity>& layers) {
    std::ostringstream table;
    table.imbue(std::locale::classic());
    table.precision(6);
    table << "rank\tlayer\tway\tkernel\trelative_l2\tcosine\tsame_prediction\n";
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const Sensitivity& layer = layers[i];
        table << i + 1 << '\t' << layer.layer << '\t' << layer.way << '\t' << layer.kernel << '\t'
              << layer.relative_l2 << '\t' << layer.cosine << '\t' << layer.same_prediction << '\n';
    }
    return table.str();
}

}  // namespace vgg19::converter
