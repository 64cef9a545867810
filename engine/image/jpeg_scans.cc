#include "engine/image/jpeg_scans.h"

#include <algorithm>
#include <string>

#include "engine/image/failure.h"

namespace vgg19 {
namespace {

constexpr std::size_t block_side = 8;

std::size_t divided(std::size_t value, std::size_t by) {
    return (value + by - 1) / by;
}

}  // namespace

JpegBlocks::JpegBlocks(const PixelSize& size, const std::vector<JpegSampling>& components) : size_(size) {
    for (const JpegSampling& each : components) {
        most_.across = std::max(most_.across, each.across);
        most_.down = std::max(most_.down, each.down);
    }
    units_ = {divided(size.width, block_side * most_.across), divided(size.height, block_side * most_.down)};
    for (const JpegSampling& each : components) {
        in_all_ += units_.width * units_.height * each.across * each.down;
    }
}

PixelSize JpegBlocks::alone(const JpegSampling& component) const {
    return {divided(size_.width * component.across, block_side * most_.across),
            divided(size_.height * component.down, block_side * most_.down)};
}

std::size_t JpegBlocks::in_scan(const std::vector<JpegSampling>& components) const {
    if (components.size() == 1) return alone(components[0]).width * alone(components[0]).height;
    std::size_t in_unit = 0;
    for (const JpegSampling& each : components) in_unit += each.across * each.down;
    return units_.width * units_.height * in_unit;
}

std::size_t JpegBlocks::needed_in_scan(const std::vector<JpegSampling>& components) const {
    if (components.size() == 1) {
        const auto [width, height] = alone(components[0]);
        return width * (height - std::min(height, components[0].down));
    }
    const std::size_t rows = std::max<std::size_t>(units_.height, 1);
    return in_scan(components) / rows * (rows - 1);
}

void check_work(const JpegWork& work, std::size_t blocks_in_all, bool is_arithmetic) {
    if (work.short_scan) {
        fail_image("the scan at offset " + std::to_string(work.short_scan->offset) + " has " +
                   std::to_string(work.short_scan->data_bytes) + " bytes, too few for its " +
                   std::to_string(work.short_scan->blocks) + " blocks of pixels: it is cut short");
    }
    if (!work.has_all_components) fail_image("a component of its pixels has no scan: it is cut short");
    const std::size_t most = is_arithmetic
                                 ? 100'000 + 16 * work.data_bytes
                                 // Encoders make about six passes over each block, optimisers a few more.
                                 : 1'000'000 + 64 * work.data_bytes + 16 * blocks_in_all;
    if (work.blocks <= most) return;
    fail_image(std::to_string(work.scans) + " scans visit " + std::to_string(work.blocks) +
               " blocks of pixels with " + std::to_string(work.data_bytes) +
               " bytes of data, expected at most " + std::to_string(most) + " blocks");
}

}  // namespace vgg19
