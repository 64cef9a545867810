#include "engine/model/packed_file.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <limits>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "vgg19/error.h"

namespace vgg19::model {

namespace {

/// So many bytes are looked at to find the ends of frames, and more only where one is longer.
constexpr std::size_t window_bytes = std::size_t{4} << 20U;
/// Frames that begin elsewhere are unpacked together with those before them.
constexpr std::size_t page_multiple = std::size_t{64} << 10U;

/// Of what is unpacked again and again: other programs may put all of a file into one frame.
constexpr std::size_t largest_part = std::size_t{8} << 20U;

struct Frame {
    std::uint64_t packed;   ///< where it begins in the packed file
    std::uint64_t content;  ///< where its content begins in the plain file
};

[[noreturn]] void fail_at(const MappedFile& file, std::uint64_t offset, const std::string& problem) {
    throw Error(ErrorKind::bad_input,
                file.path().string() + ": byte " + std::to_string(offset) + ": Zstandard frame: " + problem);
}

/// Frames one after another, of which those with content are kept.
class FrameList {
  public:
    explicit FrameList(const MappedFile& file) : file_(file), most_(most_content(file.bytes().size())) {}

    std::vector<Frame> read() {
        while (offset_ < file_.bytes().size()) read_window();
        frames_.push_back({offset_, content_});
        return std::move(frames_);
    }

  private:
    static std::uint64_t most_content(std::uint64_t packed) {
        constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
        return packed > (most - least_unpacked) / unpacked_factor ? most
                                                                  : packed * unpacked_factor + least_unpacked;
    }

    /// Reads on to the last frame that lies in the window as a whole.
    void read_window() {
        const std::span<const std::byte> rest = file_.bytes().subspan(offset_);
        const std::span<const std::byte> window = rest.first(std::min(rest.size(), window_));
        const MappedFile::Use use = file_.use(window);
        std::size_t at = 0;
        while (at < window.size()) {
            const std::size_t length = ZSTD_findFrameCompressedSize(window.data() + at, window.size() - at);
            if (ZSTD_isError(length) != 0) {
                if (at == 0) need_more(length, window.size() == rest.size());
                break;
            }
            add(window.subspan(at, length));
            at += length;
        }
        if (at > 0) window_ = window_bytes;
    }

    void need_more(std::size_t error, bool is_whole) {
        if (ZSTD_getErrorCode(error) != ZSTD_error_srcSize_wrong) {
            fail_at(file_, offset_, ZSTD_getErrorName(error));
        }
        if (is_whole) fail_at(file_, offset_, "expected more bytes, found the end: the file is cut off");
        window_ *= 2;
    }

    void add(std::span<const std::byte> frame) {
        const unsigned long long content = ZSTD_getFrameContentSize(frame.data(), frame.size());
        if (content == ZSTD_CONTENTSIZE_UNKNOWN || content == ZSTD_CONTENTSIZE_ERROR) {
            fail_at(file_, offset_,
                    "expected one that tells its content's size, found none; `vgg19 convert --pack` writes "
                    "such files, and zstd does if it does not read a pipe");
        }
        if (content > most_ - content_) {
            fail_at(file_, offset_,
                    "expected at most " + std::to_string(most_) + " bytes of content in a file of " +
                        std::to_string(file_.bytes().size()) + ", found " + std::to_string(content) +
                        " after " + std::to_string(content_));
        }
        if (content > 0) frames_.push_back({offset_, content_});
        offset_ += frame.size();
        content_ += content;
    }

    const MappedFile& file_;
    const std::uint64_t most_;
    std::size_t window_ = window_bytes;
    std::uint64_t offset_ = 0;
    std::uint64_t content_ = 0;
    std::vector<Frame> frames_;
};

struct FreeContext {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

class PackedSource final : public PageSource {
  public:
    explicit PackedSource(std::shared_ptr<const MappedFile> file)
        : file_(std::move(file)), frames_(FrameList(*file_).read()) {}

    std::size_t size() const override { return static_cast<std::size_t>(frames_.back().content); }

    Range widened(Range range) const override {
        std::size_t first = frame_of(range.begin);
        while (frames_[first].content % page_multiple != 0) --first;
        std::size_t end = frame_of(range.end - 1) + 1;
        while (end + 1 < frames_.size() && frames_[end].content % page_multiple != 0) ++end;
        return {static_cast<std::size_t>(frames_[first].content),
                static_cast<std::size_t>(frames_[end].content)};
    }

    bool is_read_whole() const override {
        std::uint64_t begin = 0;
        for (const Frame& frame : frames_) {
            const bool is_end = &frame == &frames_.back();
            if (frame.content % page_multiple != 0 && !is_end) continue;
            if (frame.content - begin > largest_part) return true;
            begin = frame.content;
        }
        return false;
    }

    void read(Range range, std::byte* to) const override {
        const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
        if (!context) throw std::bad_alloc();
        const std::size_t first = frame_of(range.begin);
        const std::size_t end = frame_of(range.end - 1) + 1;
        const MappedFile::Use use = file_->use(packed(first, end));
        for (std::size_t frame = first; frame < end; ++frame) {
            unpack(context.get(), frame, to + (frames_[frame].content - range.begin));
        }
    }

    void require_unchanged() const override { file_->require_unchanged(); }

  private:
    /// The frame that has this byte of the content.
    std::size_t frame_of(std::uint64_t byte) const {
        const auto after =
            std::upper_bound(frames_.begin(), frames_.end() - 1, byte,
                             [](std::uint64_t value, const Frame& frame) { return value < frame.content; });
        return static_cast<std::size_t>(after - frames_.begin()) - 1;
    }

    /// Frames [first, end), and those without content between them.
    std::span<const std::byte> packed(std::size_t first, std::size_t end) const {
        const auto begin = static_cast<std::size_t>(frames_[first].packed);
        return file_->bytes().subspan(begin, static_cast<std::size_t>(frames_[end].packed) - begin);
    }

    void unpack(ZSTD_DCtx* context, std::size_t index, std::byte* to) const {
        const Frame& frame = frames_[index];
        const auto expected = static_cast<std::size_t>(frames_[index + 1].content - frame.content);
        const std::span<const std::byte> bytes = packed(index, index + 1);
        const std::size_t found = ZSTD_decompressDCtx(context, to, expected, bytes.data(), bytes.size());
        if (ZSTD_isError(found) != 0) {
            if (ZSTD_getErrorCode(found) == ZSTD_error_memory_allocation) throw std::bad_alloc();
            fail_at(*file_, frame.packed,
                    "expected " + std::to_string(expected) + " bytes of content, found a damaged frame (" +
                        ZSTD_getErrorName(found) + ")");
        }
        if (found != expected) {
            fail_at(
                *file_, frame.packed,
                "expected " + std::to_string(expected) + " bytes of content, found " + std::to_string(found));
        }
    }

    const std::shared_ptr<const MappedFile> file_;
    const std::vector<Frame> frames_;  ///< and the end
};

}  // namespace

std::unique_ptr<const PageSource> unpacking(std::shared_ptr<const MappedFile> packed) {
    return std::make_unique<const PackedSource>(std::move(packed));
}

class Packer::State {
  public:
    explicit State(Sink sink) : sink_(std::move(sink)), context_(ZSTD_createCCtx()) {
        if (!context_) throw std::bad_alloc();
        require(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1));
        content_.reserve(frame_bytes);
    }

    void write(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const auto piece = bytes.first(std::min(bytes.size(), frame_bytes - content_.size()));
            content_.insert(content_.end(), piece.begin(), piece.end());
            if (content_.size() == frame_bytes) pack();
            bytes = bytes.subspan(piece.size());
        }
    }

    void finish() {
        if (!content_.empty()) pack();
        if (content_bytes_ <= packed_bytes_ * unpacked_factor + least_unpacked) return;
        throw Error(ErrorKind::failed,
                    "the model's " + std::to_string(content_bytes_) + " bytes pack to " +
                        std::to_string(packed_bytes_) +
                        ", so few that readers would refuse the file: its weights are nearly all the same; "
                        "write it without --pack");
    }

  private:
    static std::size_t require(std::size_t result) {
        if (ZSTD_isError(result) == 0) return result;
        if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) throw std::bad_alloc();
        throw Error(ErrorKind::failed, std::string("cannot be packed: ") + ZSTD_getErrorName(result));
    }

    /// How hard to look for repetitions; 0: as the level does.
    struct Effort {
        int level;
        int shortest_match;
        int hash_bits;
    };
    /// Weights have hardly any, and short ones that are there by chance make the coding of single bytes
    /// worse: this coding is what is gained, and rows that are the same.
    static constexpr Effort of_rows{1, 7, 0};
    static constexpr Effort of_bytes{1, 7, 6};
    /// Where there are few values (of two bits), repetitions gain more, but take long to find.
    static constexpr Effort slow{19, 0, 0};
    static constexpr double few_values_from = 0.15;
    static constexpr double few_values_to = 0.36;

    void pack() {
        best_.clear();
        try_to_pack(of_rows);
        try_to_pack(of_bytes);
        const double share = static_cast<double>(best_.size()) / static_cast<double>(content_.size());
        if (share > few_values_from && share < few_values_to) try_to_pack(slow);
        packed_bytes_ += best_.size();
        content_bytes_ += content_.size();
        content_.clear();
        sink_(best_);
    }

    /// Keeps the result if it is the smallest.
    void try_to_pack(const Effort& effort) {
        require(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, effort.level));
        require(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_minMatch, effort.shortest_match));
        require(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_hashLog, effort.hash_bits));
        packed_.resize(ZSTD_compressBound(content_.size()));
        packed_.resize(require(ZSTD_compress2(context_.get(), packed_.data(), packed_.size(), content_.data(),
                                              content_.size())));
        if (best_.empty() || packed_.size() < best_.size()) best_.swap(packed_);
    }

    const Sink sink_;
    const std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
    std::vector<std::byte> content_;  ///< of the next frame
    std::vector<std::byte> packed_;
    std::vector<std::byte> best_;
    std::uint64_t content_bytes_ = 0;
    std::uint64_t packed_bytes_ = 0;
};

Packer::Packer(Sink sink) : state_(std::make_unique<State>(std::move(sink))) {}
Packer::~Packer() = default;

void Packer::write(std::span<const std::byte> bytes) {
    state_->write(bytes);
}

void Packer::finish() {
    state_->finish();
}

}  // namespace vgg19::model
