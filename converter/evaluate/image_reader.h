// Reads and decodes images while the network works on earlier ones.
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

/// The input that a network expects.
struct InputFormat {
    Preprocessing preprocessing;
    MapSize size{};

    /// Whether both produce the same values from an image.
    friend bool operator==(const InputFormat& a, const InputFormat& b);
};

struct ImageBatch {
    std::size_t first = 0;           ///< how many images were in the batches before
    std::size_t count = 0;           ///< images; fewer than the size of a batch only in the last one
    std::vector<std::size_t> items;  ///< what they are, count of them
    std::size_t done = 0;            ///< of the list of items, up to the last of these
    /// Per format: (batch, 3, height, width) floats. Values past `count` are finite but meaningless.
    std::vector<std::vector<float>> inputs;
};

/// What happens to an image that cannot be read.
enum class BrokenImages : unsigned char {
    are_errors,
    are_left_out,  ///< unless there are too_many_broken(), which is an error
};

/// Reads `items` in order on its own thread, at most two batches ahead of the caller; where the system
/// refuses a thread, on the caller's.
class ImageReader {
  public:
    /// The caller's batch and two ahead.
    static constexpr std::size_t batches_in_memory = 3;

    /// `data` must outlive it. `batch` is at least 1.
    ImageReader(const DataSet& data, std::vector<std::size_t> items, std::vector<InputFormat> formats,
                std::size_t batch, BrokenImages broken = BrokenImages::are_errors);
    ~ImageReader();
    ImageReader(const ImageReader&) = delete;
    ImageReader& operator=(const ImageReader&) = delete;

    /// The next batch, valid until the next call; null after the last. Rethrows an exception of DataSet::read
    /// at the position of its batch.
    const ImageBatch* next();
    /// The images that were left out; complete after the last batch.
    const std::vector<BrokenPicture>& broken() const { return broken_; }

  private:
    void read_all();
    /// Reads batch `index`, and tells the other thread what came of it. False if there is no such batch.
    bool read_next(std::size_t index);
    /// False if it has no picture.
    bool read_batch(std::size_t index);
    /// False if the image cannot be read and is left out.
    bool read_image(std::size_t item, std::size_t place, ImageBatch& slot);
    /// False if the reader has to stop.
    bool wait_for_room(std::size_t index);

    const DataSet& data_;
    std::vector<std::size_t> items_;
    std::vector<InputFormat> formats_;
    std::size_t batch_;
    BrokenImages on_broken_;
    std::array<ImageBatch, batches_in_memory> ring_;
    std::size_t next_item_ = 0;          ///< in the list; used only by the reading thread
    std::vector<BrokenPicture> broken_;  ///< used only by the reading thread until finished_ is set

    std::mutex mutex_;  ///< protects all members below
    std::condition_variable changed_;
    std::size_t read_ = 0;      ///< batches
    std::size_t taken_ = 0;     ///< by next()
    std::size_t released_ = 0;  ///< returned by the caller
    bool stopping_ = false;
    bool finished_ = false;  ///< reading
    std::exception_ptr error_;
    std::thread thread_;  ///< last, so that all other members exist when it starts
};

}  // namespace vgg19::converter
