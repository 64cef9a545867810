#include "converter/evaluate/image_reader.h"

#include <algorithm>
#include <span>
#include <system_error>
#include <utility>

#include "engine/model/network.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

std::size_t image_floats(const InputFormat& format) {
    return model::image_channels * format.size.pixels();
}

}  // namespace

bool operator==(const InputFormat& a, const InputFormat& b) {
    // `size` replaces the input size in the preprocessing, which is not compared.
    Preprocessing of_same_size = a.preprocessing;
    of_same_size.input_size = b.preprocessing.input_size;
    return a.size == b.size && of_same_size == b.preprocessing;
}

ImageReader::ImageReader(const DataSet& data, std::vector<std::size_t> items,
                         std::vector<InputFormat> formats, std::size_t batch, BrokenImages broken)
    : data_(data), items_(std::move(items)), formats_(std::move(formats)), batch_(batch), on_broken_(broken) {
    for (ImageBatch& slot : ring_) {
        for (const InputFormat& format : formats_) slot.inputs.emplace_back(batch * image_floats(format));
    }
    try {
        thread_ = std::thread([this] { read_all(); });
    } catch (const std::system_error&) {  // the system refuses a thread: next() reads
    }
}

ImageReader::~ImageReader() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

const ImageBatch* ImageReader::next() {
    if (!thread_.joinable() && !finished_ && !error_) read_next(read_);
    std::unique_lock lock(mutex_);
    released_ = taken_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return read_ > taken_ || finished_ || error_; });
    if (read_ > taken_) return &ring_.at(taken_++ % ring_.size());
    if (error_) std::rethrow_exception(error_);
    return nullptr;
}

void ImageReader::read_all() {
    for (std::size_t index = 0; wait_for_room(index) && read_next(index);) ++index;
}

bool ImageReader::read_next(std::size_t index) {
    bool has_read = false;
    std::exception_ptr error;
    try {
        // Without a picture if all remaining ones are broken.
        if (next_item_ < items_.size()) has_read = read_batch(index);
    } catch (...) {
        error = std::current_exception();
    }
    {
        const std::lock_guard lock(mutex_);
        if (has_read) ++read_;
        error_ = error;
        finished_ = !has_read && !error;
    }
    changed_.notify_all();
    return has_read;
}

bool ImageReader::wait_for_room(std::size_t index) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopping_ || index < released_ + ring_.size(); });
    return !stopping_;
}

bool ImageReader::read_batch(std::size_t index) {
    ImageBatch& slot = ring_.at(index % ring_.size());
    slot.first = index * batch_;
    slot.items.clear();
    while (slot.items.size() < batch_ && next_item_ < items_.size()) {
        const std::size_t item = items_[next_item_++];
        if (read_image(item, slot.items.size(), slot)) slot.items.push_back(item);
    }
    slot.count = slot.items.size();
    slot.done = next_item_;
    return slot.count > 0;
}

bool ImageReader::read_image(std::size_t item, std::size_t place, ImageBatch& slot) {
    try {
        for (std::size_t f = 0; f < formats_.size(); ++f) {
            const InputFormat& format = formats_[f];
            const std::size_t floats = image_floats(format);
            data_.read(item, format.preprocessing, format.size,
                       std::span(slot.inputs[f]).subspan(place * floats, floats));
        }
        return true;
    } catch (const Error& error) {
        if (on_broken_ == BrokenImages::are_errors || error.kind() != ErrorKind::bad_input) throw;
        broken_.push_back({item, error.what()});
    }
    if (too_many_broken(broken_.size(), items_.size())) {
        throw Error(ErrorKind::bad_input,
                    "expected at most a quarter of the pictures to be broken, found that " +
                        broken_text(broken_, items_.size()));
    }
    return false;
}

}  // namespace vgg19::converter
