// Images read and decoded while the network works on those before.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "converter/data/data_set.h"
#include "converter/data/picture_scan.h"

namespace vgg19::converter {

/// How a network wants its images.
struct InputFormat {
    Preprocessing preprocessing;
    MapSize size{};

    /// Whether both turn an image into the same values.
    friend bool operator==(const InputFormat& a, const InputFormat& b);
};

struct ImageBatch {
    std::size_t first = 0;           ///< how many images were in the batches before
    std::size_t count = 0;           ///< images; fewer than the size of a batch only in the last one
    std::vector<std::size_t> items;  ///< what they are, count of them
    std::size_t done = 0;            ///< of the list of items, up to the last of these
    /// By format: (batch, 3, height, width) floats. Those past `count` are finite and mean nothing.
    std::vector<std::vector<float>> inputs;
};

/// What becomes of an image that cannot be read.
enum class BrokenImages : unsigned char {
    are_errors,
    are_left_out,  ///< as long as there are not too_many_broken(): that is an error too
};

/// Reads `items` in their order on a thread of its own, at most two batches ahead of who takes them.
class ImageReader {
  public:
    /// One that is looked at, two ahead.
    static constexpr std::size_t batches_in_memory = 3;

    /// `data` must outlive it. `batch` is at least 1.
    ImageReader(const DataSet& data, std::vector<std::size_t> items, std::vector<InputFormat> formats,
                std::size_t batch, BrokenImages broken = BrokenImages::are_errors);
    ~ImageReader();
    ImageReader(const ImageReader&) = delete;
    ImageReader& operator=(const ImageReader&) = delete;

    /// The next batch, valid until the next call; null after the last. Throws what DataSet::read threw, in
    /// the place of the batch that it belongs to.
    const ImageBatch* next();
    /// Those that were left out, after the last batch.
    const std::vector<BrokenPicture>& broken() const { return broken_; }

  private:
    void read_all();
    void read_batch(std::size_t index);
    /// False where it cannot be read and is left out.
    bool read_image(std::size_t item, std::size_t place, ImageBatch& slot);
    /// False when the reader is to stop.
    bool wait_for_room(std::size_t index);

    const DataSet& data_;
    std::vector<std::size_t> items_;
    std::vector<InputFormat> formats_;
    std::size_t batch_;
    BrokenImages on_broken_;
    std::array<ImageBatch, batches_in_memory> ring_;
    std::size_t next_item_ = 0;          ///< of the list; the reading thread's
    std::vector<BrokenPicture> broken_;  ///< the reading thread's until finished_

    std::mutex mutex_;  ///< of all that follows
    std::condition_variable changed_;
    std::size_t read_ = 0;      ///< batches
    std::size_t taken_ = 0;     ///< by next()
    std::size_t released_ = 0;  ///< taken and no longer looked at
    bool stopping_ = false;
    bool finished_ = false;  ///< reading
    std::exception_ptr error_;
    std::thread thread_;  ///< last, so that it finds all the others made
};

}  // namespace vgg19::converter
