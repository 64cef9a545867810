#include "converter/rounding/layer_inputs.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "converter/evaluate/image_reader.h"
#include "converter/refit/held_out.h"
#include "converter/refit/layer_pass.h"
#include "engine/program/program.h"
#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

constexpr float largest_input = 255;

/// A network up to the layer before the slice's.
class Prefix {
  public:
    Prefix(const model::ModelFile& model, const SessionOptions& session, const std::string& output)
        : program_(model, make_plan(model, up_to(with_batch(model, session), output))),
          values_(plan().execution.batch * image_size()) {}

    const Plan& plan() const { return program_.plan(); }
    MapSize map_size() const { return plan().outputs.front().shape.size; }
    std::size_t image_size() const {
        const model::OutputShape& shape = plan().outputs.front().shape;
        return shape.channels * shape.size.pixels();
    }
    const float* run(const float* images) {
        program_.run(images, values_.data(), {});
        return values_.data();
    }

  private:
    static SessionOptions up_to(SessionOptions session, const std::string& output) {
        session.outputs = {output};
        return session;
    }

    Program program_;
    std::vector<float> values_;
};

/// As the engine quantises a convolution's input.
void round_inputs(float scale, std::span<float> values) {
    for (float& value : values) {
        value = std::clamp(std::nearbyint(value / scale), 0.0F, largest_input) * scale;
    }
}

/// One image's samples.
class Gatherer {
  public:
    Gatherer(const InputSlice& slice, MapSize size) : slice_(slice), channels_(slice.count) {
        std::iota(channels_.begin(), channels_.end(), slice.first);
        // A dense layer reads a map as a vector: each value is a channel of one pixel.
        size_ = slice.surroundings == Surroundings::none ? MapSize(1) : size;
    }

    std::size_t positions() const { return size_.pixels(); }

    void gather(const float* original, const float* quantized, std::size_t position, float* row,
                float* difference) const {
        gather_row(map(quantized), channels_, position, slice_.surroundings, row);
        gather_row(map(original), channels_, position, slice_.surroundings, difference);
        const std::size_t inputs = slice_.inputs();
        if (slice_.input_scale > 0) round_inputs(slice_.input_scale, {row, inputs});
        for (std::size_t i = 0; i < inputs; ++i) difference[i] -= row[i];
        row[inputs] = 1;
    }

  private:
    BlockedMap map(const float* values) const {
        return {.values = values, .channels = slice_.channels, .size = size_, .block = 1};
    }

    const InputSlice& slice_;
    std::vector<std::size_t> channels_;
    MapSize size_;
};

}  // namespace

void sample_inputs(const model::ModelFile& original, const model::ModelFile& quantized,
                   const CalibrationImages& images, const InputSlice& slice, std::size_t samples,
                   std::uint64_t seed, const std::function<void(const InputSamples&)>& visit) {
    Prefix exact(original, images.session, slice.output);
    Prefix rounded(quantized, images.session, slice.output);
    const Gatherer gatherer(slice, exact.map_size());
    const std::size_t inputs = slice.inputs();
    const std::size_t all = images.items.size();
    const std::size_t per_image = std::min(gatherer.positions(), (samples + all - 1) / all);
    ImageReader reader(*images.data, images.items,
                       {{original.description().preprocessing, exact.plan().input_size}},
                       exact.plan().execution.batch);
    while (const ImageBatch* batch = reader.next()) {
        const float* wanted = exact.run(batch->inputs.front().data());
        const float* given = rounded.run(batch->inputs.front().data());
        InputSamples found;
        found.rows.resize(batch->count * per_image * (inputs + 1));
        found.differences.resize(batch->count * per_image * inputs);
        kernels::parallel_for(exact.plan().execution.threads, batch->count, [&](std::size_t i) {
            const auto positions =
                sample_positions(gatherer.positions(), per_image, seed * all + batch->first + i);
            for (std::size_t place = 0; place < per_image; ++place) {
                const std::size_t sample = i * per_image + place;
                gatherer.gather(wanted + i * exact.image_size(), given + i * exact.image_size(),
                                positions[place], &found.rows[sample * (inputs + 1)],
                                &found.differences[sample * inputs]);
            }
        });
        for (std::size_t i = 0; i < batch->count * per_image; ++i) {
            found.held_out.push_back(is_held_out_of_refit(batch->first + i / per_image));
        }
        visit(found);
    }
}

}  // namespace vgg19::converter
