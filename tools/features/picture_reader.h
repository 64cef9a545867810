// Reads and decodes pictures on several threads while the network works on earlier ones.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "vgg19/map_size.h"

namespace vgg19::tools {

/// A network's input, or why there is none.
struct PictureInput {
    std::size_t index = 0;  ///< of the picture, as it was asked for
    MapSize size{};
    std::vector<float> values{};  ///< (3, height, width)
    std::string problem{};        ///< names the file; "" if it was read
};

/// Called on several threads at once. An Error (bad_input) becomes PictureInput::problem; other exceptions
/// end the reading.
using ReadPicture = std::function<PictureInput(std::size_t index)>;

/// Reads the pictures `indices` on `threads` threads of its own, ahead of the caller, and hands them out in
/// order. Where the system refuses threads, fewer read, or the caller.
class PictureReader {
  public:
    /// How much is read ahead: at most so many pictures, and no new one is begun while so many bytes wait,
    /// unless the caller waits for it.
    struct Ahead {
        std::size_t pictures = 32;
        std::size_t bytes = std::size_t{256} << 20U;
    };

    PictureReader(std::vector<std::size_t> indices, ReadPicture read, std::size_t threads, Ahead ahead);
    ~PictureReader();
    PictureReader(const PictureReader&) = delete;
    PictureReader& operator=(const PictureReader&) = delete;

    /// None after the last. Rethrows an exception at the position of its picture.
    std::optional<PictureInput> next();

  private:
    struct Read {
        PictureInput input;
        std::exception_ptr error;
    };

    void read_all();
    void read_until_done();
    bool may_begin() const;
    Read read_one(std::size_t position) const;
    static std::size_t bytes_of(const Read& read);

    const std::vector<std::size_t> indices_;
    const ReadPicture read_;
    const Ahead ahead_;

    std::mutex mutex_;  ///< protects all members below
    std::condition_variable changed_;
    std::map<std::size_t, Read> waiting_;  ///< by position in indices_
    std::size_t waiting_bytes_ = 0;
    std::size_t begun_ = 0;
    std::size_t taken_ = 0;
    bool stopping_ = false;
    std::exception_ptr failure_;        ///< no picture comes after it
    std::vector<std::thread> threads_;  ///< last, so that all other members exist when they start
};

}  // namespace vgg19::tools
