#include "bench/worker_job.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "vgg19/losses.h"

namespace vgg19::bench {

namespace {

constexpr std::size_t printed_indices = 3;

std::vector<std::size_t> largest_indices(std::span<const float> values) {
    std::vector<std::size_t> indices(values.size());
    std::iota(indices.begin(), indices.end(), std::size_t{0});
    const std::size_t count = std::min(printed_indices, indices.size());
    std::partial_sort(
        indices.begin(), indices.begin() + static_cast<std::ptrdiff_t>(count), indices.end(),
        [&](std::size_t a, std::size_t b) { return std::pair(-values[a], a) < std::pair(-values[b], b); });
    indices.resize(count);
    return indices;
}

std::uint64_t add_to_hash(std::uint64_t hash, std::span<const float> values) {
    constexpr std::uint64_t prime = 0x100000001B3;
    for (const std::byte byte : std::as_bytes(values)) {
        hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * prime;
    }
    return hash;
}

/// Of each channel of an image.
std::vector<float> channel_means(std::span<const float> image, std::size_t channels) {
    const std::size_t pixels = image.size() / channels;
    std::vector<float> means;
    for (std::size_t channel = 0; channel < channels; ++channel) {
        const auto map = image.subspan(channel * pixels, pixels);
        means.push_back(
            static_cast<float>(std::accumulate(map.begin(), map.end(), 0.0) / static_cast<double>(pixels)));
    }
    return means;
}

}  // namespace

WorkerJob::WorkerJob(Session& session, std::vector<float> input, bool backward)
    : session_(session), input_(std::move(input)) {
    for (const Output& output : session.outputs()) outputs_.emplace_back(output.size());
    results_.assign(outputs_.begin(), outputs_.end());
    if (!backward) return;
    session.run(input_, results_);
    for (const std::vector<float>& output : outputs_) {
        std::vector<float>& target = targets_.emplace_back(output);
        for (float& value : target) value *= 0.5F;
    }
    output_gradients_.assign(outputs_.begin(), outputs_.end());
    input_gradient_.resize(input_.size());
}

void WorkerJob::run() {
    session_.run(input_, results_);
    if (targets_.empty()) return;
    for (std::size_t i = 0; i < results_.size(); ++i) {
        l1_loss(results_[i], targets_[i], 1, {.values = results_[i]}, {.threads = session_.threads()});
    }
    session_.backward(output_gradients_, input_gradient_);
}

std::span<const float> WorkerJob::first_image(std::size_t output) const {
    const std::vector<float>& values = outputs_[output];
    return std::span(values).first(values.size() / session_.batch());
}

std::vector<std::size_t> WorkerJob::top() const {
    if (!input_gradient_.empty()) {
        return largest_indices(std::span(input_gradient_).first(input_.size() / session_.batch()));
    }
    const std::size_t last = outputs_.size() - 1;
    const std::size_t channels = session_.outputs()[last].shape[1];
    return largest_indices(channel_means(first_image(last), channels));
}

std::uint64_t WorkerJob::hash() const {
    constexpr std::uint64_t offset = 0xCBF29CE484222325;
    if (!input_gradient_.empty()) {
        return add_to_hash(offset, std::span(input_gradient_).first(input_.size() / session_.batch()));
    }
    std::uint64_t hash = offset;
    for (std::size_t i = 0; i < outputs_.size(); ++i) hash = add_to_hash(hash, first_image(i));
    return hash;
}

}  // namespace vgg19::bench
