#include "tools/style/pixels.h"

#include <algorithm>
#include <cmath>

#include "converter/finetune/random_key.h"

namespace vgg19::tools {

namespace {

constexpr std::size_t channel_count = 3;
constexpr float largest_sample = 255;

}  // namespace

std::vector<float> planes_of(const ImageView& image) {
    const std::size_t pixels = image.width * image.height;
    std::vector<float> planes(channel_count * pixels);
    for (std::size_t y = 0; y < image.height; ++y) {
        for (std::size_t i = 0; i < image.width * channel_count; ++i) {
            planes[i % channel_count * pixels + y * image.width + i / channel_count] =
                static_cast<float>(image.rgb[y * image.stride + i]) / largest_sample;
        }
    }
    return planes;
}

Image image_of(std::span<const float> planes, MapSize size) {
    Image image{std::vector<std::uint8_t>(planes.size()), size.width, size.height};
    for (std::size_t i = 0; i < planes.size(); ++i) {
        const float value = planes[i % channel_count * size.pixels() + i / channel_count];
        image.rgb[i] = static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0F, 1.0F) * largest_sample));
    }
    return image;
}

std::vector<float> noise_planes(MapSize size, std::uint64_t seed) {
    constexpr std::uint64_t golden = 0x9E3779B97F4A7C15U;  // the step of SplitMix64
    constexpr unsigned mantissa_bits = 24;
    std::vector<float> planes(channel_count * size.pixels());
    for (std::size_t i = 0; i < planes.size(); ++i) {
        const std::uint64_t bits = converter::mix_bits(seed + golden * i) >> (64U - mantissa_bits);
        planes[i] = static_cast<float>(bits) / static_cast<float>(1U << mantissa_bits);
    }
    return planes;
}

PixelTransform::PixelTransform(const Preprocessing& preprocessing) {
    for (std::size_t c = 0; c < channel_count; ++c) {
        const bool reversed = preprocessing.channel_order == ChannelOrder::bgr;
        channels_[c] = {.channel = reversed ? channel_count - 1 - c : c,
                        .scale = preprocessing.range / preprocessing.deviation[c],
                        .offset = -preprocessing.mean[c] / preprocessing.deviation[c]};
    }
}

void PixelTransform::to_input(std::span<const float> planes, std::span<float> input) const {
    const std::size_t pixels = input.size() / channel_count;
    for (std::size_t c = 0; c < channel_count; ++c) {
        const Channel& channel = channels_[c];
        const float* from = planes.data() + channel.channel * pixels;
        float* to = input.data() + c * pixels;
        for (std::size_t i = 0; i < pixels; ++i) to[i] = from[i] * channel.scale + channel.offset;
    }
}

void PixelTransform::add_gradient(std::span<const float> input, std::span<float> planes) const {
    const std::size_t pixels = input.size() / channel_count;
    for (std::size_t c = 0; c < channel_count; ++c) {
        const Channel& channel = channels_[c];
        const float* from = input.data() + c * pixels;
        float* to = planes.data() + channel.channel * pixels;
        for (std::size_t i = 0; i < pixels; ++i) to[i] += from[i] * channel.scale;
    }
}

}  // namespace vgg19::tools
