#include "converter/quantize/calibration.h"

#include <algorithm>
#include <limits>
#include <span>
#include <sstream>

#include "engine/program/program.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// In total, so that larger image sets do not need more memory.
constexpr std::size_t kept_tiles = 128;

SessionOptions logits_of(SessionOptions session) {
    session.outputs = {"logits"};
    return session;
}

/// Runs one image after the other.
class Runner {
  public:
    Runner(const model::ModelFile& model, const CalibrationImages& images)
        : images_(images),
          preprocessing_(model.description().preprocessing),
          program_(model, make_plan(model, logits_of(images.session))),
          input_(model::image_channels * plan().input_size.pixels()) {}

    const Plan& plan() const { return program_.plan(); }
    const Program& program() const { return program_; }

    void run(std::size_t item, float* logits, const LayerObserver& observer = {}) {
        images_.data->read(item, preprocessing_, plan().input_size, input_);
        program_.run(input_.data(), logits, {}, observer);
    }

  private:
    const CalibrationImages& images_;
    Preprocessing preprocessing_;
    Program program_;
    std::vector<float> input_;
};

/// Sums of four pixels must be finite too. NaN is also rejected.
void require_in_range(const BlockedMap& map, const std::string& image, const std::string& layer) {
    constexpr float most = std::numeric_limits<float>::max() / 4;
    const std::size_t count =
        kernels::blocked_size(1, map.channels, map.size.height, map.size.width, map.block);
    const float* end = map.values + count;
    const float* wrong = std::find_if_not(map.values, end, [](float value) { return value <= most; });
    if (wrong == end) return;
    std::ostringstream message;
    message << image << ": " << layer << ": expected an input of at most " << most << ", found " << *wrong
            << ": this model cannot be calibrated";
    throw Error(ErrorKind::bad_input, message.str());
}

std::span<const model::ConvolutionLayer> later_convolutions(const model::ModelFile& model) {
    return std::span(model.network().convolutions()).subspan(1);
}

/// The input of one convolution for one image.
struct Observation {
    std::size_t convolution = 0;  ///< among later_convolutions()
    std::size_t image = 0;
    BlockedMap map;
    int threads = 1;
};

void observe_convolutions(const model::ModelFile& model, const CalibrationImages& images,
                          const std::function<void(const Observation&)>& visit,
                          const ImageProgress& progress) {
    Runner runner(model, images);
    const std::span<const model::ConvolutionLayer> convolutions = later_convolutions(model);
    const layers::Execution& execution = runner.plan().execution;
    std::vector<float> logits(model.network().classes());
    for (std::size_t i = 0; i < images.items.size(); ++i) {
        const std::string image = images.data->name(images.items[i]);
        runner.run(images.items[i], logits.data(), [&](std::size_t index, const float* input) {
            if (index == 0 || index > convolutions.size()) return;
            const model::ConvolutionLayer& layer = convolutions[index - 1];
            const BlockedMap map = {.values = input,
                                    .channels = layer.input_channels,
                                    .size = model.network().map_size(layer, runner.plan().input_size),
                                    .block = execution.channel_block()};
            require_in_range(map, image, layer.name);
            visit({index - 1, i, map, execution.threads});
        });
        if (progress) progress(i + 1, images.items.size());
    }
}

}  // namespace

CalibrationRun run_images(const model::ModelFile& model, const CalibrationImages& images,
                          const ImageProgress& progress) {
    Runner runner(model, images);
    const std::size_t classes = model.network().classes();
    CalibrationRun result;
    result.logits.resize(images.items.size() * classes);
    for (std::size_t i = 0; i < images.items.size(); ++i) {
        runner.run(images.items[i], &result.logits[i * classes]);
        if (progress) progress(i + 1, images.items.size());
    }
    for (const PlanStep& step : runner.program().reports()) {
        if (step.kind == StepKind::convolution) result.convolution_kernels.push_back(step.kernel);
    }
    return result;
}

std::vector<std::vector<float>> measure_channels(const model::ModelFile& model,
                                                 const CalibrationImages& images,
                                                 const ImageProgress& progress) {
    std::vector<std::vector<float>> largest;
    for (const model::ConvolutionLayer& layer : later_convolutions(model)) {
        largest.emplace_back(layer.input_channels);
    }
    const auto visit = [&](const Observation& seen) {
        const BlockedMap& map = seen.map;
        std::vector<float>& of = largest[seen.convolution];
        for (std::size_t c = 0; c < map.channels; ++c) {
            const float* value = map.values + kernels::blocked_index(map.channels, map.size.height,
                                                                     map.size.width, map.block, 0, c, 0, 0);
            for (std::size_t i = 0; i < map.size.pixels(); ++i, value += map.block) {
                of[c] = std::max(of[c], *value);
            }
        }
    };
    observe_convolutions(model, images, visit, progress);
    return largest;
}

std::vector<ConvolutionStatistics> calibrate(const model::ModelFile& model, const CalibrationImages& images,
                                             const ImageProgress& progress) {
    std::vector<ConvolutionStatistics> statistics;
    for (const model::ConvolutionLayer& layer : later_convolutions(model)) {
        statistics.emplace_back(layer.input_channels);
    }
    const std::size_t count = std::max<std::size_t>(images.items.size(), 1);
    const std::size_t tiles = (kept_tiles + count - 1) / count;
    const auto visit = [&](const Observation& seen) {
        const bool enough = seen.image * tiles >= kept_tiles;
        statistics[seen.convolution].add(seen.map, enough ? 0 : tiles, seen.threads);
    };
    observe_convolutions(model, images, visit, progress);
    return statistics;
}

}  // namespace vgg19::converter
