#include "converter/evaluate/image_reader.h"

#include <algorithm>
#include <span>
#include <utility>

#include "engine/model/network.h"

namespace vgg19::converter {

namespace {

std::size_t image_floats(const InputFormat& format) {
    return model::image_channels * format.size * format.size;
}

}  // namespace

bool operator==(const InputFormat& a, const InputFormat& b) {
    // The preprocessing's own input size is not used: `size` stands for it.
    return a.size == b.size && a.preprocessing.resize_ratio == b.preprocessing.resize_ratio &&
           a.preprocessing.mean == b.preprocessing.mean &&
           a.preprocessing.deviation == b.preprocessing.deviation;
}

ImageReader::ImageReader(const DataSet& data, std::vector<std::size_t> items,
                         std::vector<InputFormat> formats, std::size_t batch)
    : data_(data),
      items_(std::move(items)),
      formats_(std::move(formats)),
      batch_(batch),
      batches_((items_.size() + batch - 1) / batch) {
    for (ImageBatch& slot : ring_) {
        for (const InputFormat& format : formats_) slot.inputs.emplace_back(batch * image_floats(format));
    }
    thread_ = std::thread([this] { read_all(); });
}

ImageReader::~ImageReader() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

const ImageBatch* ImageReader::next() {
    std::unique_lock lock(mutex_);
    released_ = taken_;
    changed_.notify_all();
    if (taken_ == batches_) return nullptr;
    changed_.wait(lock, [this] { return read_ > taken_ || error_; });
    if (read_ == taken_) std::rethrow_exception(error_);
    return &ring_.at(taken_++ % ring_.size());
}

void ImageReader::read_all() {
    try {
        for (std::size_t index = 0; index < batches_ && wait_for_room(index); ++index) {
            read_batch(index);
            {
                const std::lock_guard lock(mutex_);
                ++read_;
            }
            changed_.notify_all();
        }
    } catch (...) {
        {
            const std::lock_guard lock(mutex_);
            error_ = std::current_exception();
        }
        changed_.notify_all();
    }
}

bool ImageReader::wait_for_room(std::size_t index) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopping_ || index < released_ + ring_.size(); });
    return !stopping_;
}

void ImageReader::read_batch(std::size_t index) {
    ImageBatch& slot = ring_.at(index % ring_.size());
    slot.first = index * batch_;
    slot.count = std::min(batch_, items_.size() - slot.first);
    for (std::size_t i = 0; i < slot.count; ++i) {
        for (std::size_t f = 0; f < formats_.size(); ++f) {
            const InputFormat& format = formats_[f];
            const std::size_t floats = image_floats(format);
            data_.read(items_[slot.first + i], format.preprocessing, format.size,
                       std::span(slot.inputs[f]).subspan(i * floats, floats));
        }
    }
}

}  // namespace vgg19::converter
