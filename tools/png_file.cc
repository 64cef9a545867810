#include "tools/png_file.h"

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "converter/data/left_out.h"
#include "engine/model/replacing_file.h"
#include "tools/command.h"
#include "vgg19/error.h"

namespace {

/// The memory of one picture's compression. stb_image_write does not look whether it got memory, so a
/// shortage is an exception, which leaves its functions; what they had is freed here.
class Blocks {
  public:
    Blocks() { current = this; }
    ~Blocks() {
        while (first_ != nullptr) release(first_ + 1);
        current = nullptr;
    }
    Blocks(const Blocks&) = delete;
    Blocks& operator=(const Blocks&) = delete;

    /// Throws std::bad_alloc.
    static void* resize(void* memory, std::size_t bytes) {
        Block* const old = memory == nullptr ? nullptr : static_cast<Block*>(memory) - 1;
        auto* const block = static_cast<Block*>(std::realloc(old, sizeof(Block) + bytes));
        if (block == nullptr) throw std::bad_alloc();
        if (old == nullptr) *block = {.before = nullptr, .after = current->first_};
        (block->before == nullptr ? current->first_ : block->before->after) = block;
        if (block->after != nullptr) block->after->before = block;
        return block + 1;
    }

    static void release(void* memory) {
        if (memory == nullptr) return;
        Block* const block = static_cast<Block*>(memory) - 1;
        (block->before == nullptr ? current->first_ : block->before->after) = block->after;
        if (block->after != nullptr) block->after->before = block->before;
        std::free(block);
    }

  private:
    /// In front of each piece of memory: its neighbours in a list of all.
    struct alignas(std::max_align_t) Block {
        Block* before;
        Block* after;
    };

    static thread_local Blocks* current;
    Block* first_ = nullptr;
};

thread_local Blocks* Blocks::current = nullptr;

}  // namespace

#define STBIW_MALLOC(bytes) Blocks::resize(nullptr, bytes)
#define STBIW_REALLOC(memory, bytes) Blocks::resize(memory, bytes)
#define STBIW_FREE(memory) Blocks::release(memory)
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>

namespace vgg19::tools {

namespace {

void append(void* context, void* data, int size) {
    auto& bytes = *static_cast<std::vector<std::byte>*>(context);
    const auto* begin = static_cast<const std::byte*>(data);
    bytes.insert(bytes.end(), begin, begin + size);
}

/// stb_image_write counts bytes in ints.
bool fits(const ImageView& image) {
    constexpr auto most = static_cast<std::size_t>(std::numeric_limits<int>::max());
    return image.width > 0 && image.height > 0 && image.stride >= image.width * 3 &&
           image.height < most / (image.width * 3 + 1) && image.stride < most;
}

}  // namespace

void write_png(const std::filesystem::path& path, const ImageView& image) {
    constexpr int channels = 3;
    if (!fits(image)) {
        throw Error(ErrorKind::usage, path.string() + ": expected a picture of 1 pixel to 2 GB, found " +
                                          std::to_string(image.width) + "×" + std::to_string(image.height));
    }
    std::vector<std::byte> bytes;
    const Blocks blocks;
    const int written =
        stbi_write_png_to_func(append, &bytes, static_cast<int>(image.width), static_cast<int>(image.height),
                               channels, image.rgb, static_cast<int>(image.stride));
    if (written == 0) throw Error(ErrorKind::failed, path.string() + ": the picture cannot be compressed");
    model::ReplacingFile file(path);
    file.write(bytes);
    file.commit();
}

void check_png_destination(const std::filesystem::path& path) {
    if (converter::extension_of(path) != ".png") {
        throw Error(ErrorKind::usage, path.string() +
                                          ": expected a name that ends in .png, the format that "
                                          "is written");
    }
    check_destination(path);
}

}  // namespace vgg19::tools
