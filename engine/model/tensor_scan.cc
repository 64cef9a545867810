#include "engine/model/tensor_scan.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <future>
#include <numeric>
#include <system_error>

#include "engine/model/sha256.h"

namespace vgg19::model {

namespace {

/// Small enough to stay in the cache between the check and the hash.
constexpr std::size_t piece_bytes = std::size_t{256} << 10U;
/// What is in use at a time: some pieces, since packed files are unpacked in larger ones.
constexpr std::size_t used_bytes = 4 * piece_bytes;

bool is_finite(float value) {
    constexpr std::uint32_t exponent = 0x7F800000;
    return (std::bit_cast<std::uint32_t>(value) & exponent) != exponent;
}

/// No branch per element, so that the compiler can vectorise.
bool all_finite(std::span<const float> values) {
    bool finite = true;
    for (const float value : values) finite &= is_finite(value);
    return finite;
}

TensorScan scan_tensor(const Tensor& tensor, std::atomic<std::uint64_t>& done, const Progress& progress,
                       std::uint64_t total, const MappedFile* file) {
    TensorScan scan;
    Sha256 hash;
    MappedFile::Use use;
    for (std::size_t start = 0; start < tensor.bytes.size(); start += piece_bytes) {
        const std::span<const std::byte> rest = tensor.bytes.subspan(start);
        const auto piece = rest.first(std::min(piece_bytes, rest.size()));
        if (file != nullptr && start % used_bytes == 0) {
            use = MappedFile::Use();  // before the next part is read
            use = file->use(rest.first(std::min(used_bytes, rest.size())));
        }
        if (tensor.dtype == DType::f32 && !scan.first_not_finite) {
            const std::span values(reinterpret_cast<const float*>(piece.data()),
                                   piece.size() / sizeof(float));
            if (const auto index = first_not_finite(values)) {
                scan.first_not_finite = start / sizeof(float) + *index;
            }
        }
        hash.update(piece);
        const std::uint64_t done_now = done += piece.size();
        if (progress) progress(done_now, total);
    }
    scan.sha256 = hash.hex_digest();
    return scan;
}

/// The largest first, so that both threads finish at about the same time.
std::vector<std::size_t> by_falling_size(std::span<const Tensor> tensors) {
    std::vector<std::size_t> order(tensors.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [tensors](std::size_t a, std::size_t b) {
        return tensors[a].bytes.size() > tensors[b].bytes.size();
    });
    return order;
}

}  // namespace

std::optional<std::size_t> first_not_finite(std::span<const float> values) {
    if (all_finite(values)) return std::nullopt;
    const auto found = std::find_if_not(values.begin(), values.end(), is_finite);
    return static_cast<std::size_t>(found - values.begin());
}

std::vector<TensorScan> scan_tensors(std::span<const Tensor> tensors, const Progress& progress,
                                     const MappedFile* file) {
    std::uint64_t total = 0;
    for (const Tensor& tensor : tensors) total += tensor.bytes.size();
    const std::vector<std::size_t> order = by_falling_size(tensors);
    std::vector<TensorScan> scans(tensors.size());
    std::atomic<std::size_t> next = 1;  // this thread begins with the first, so that it reports something
    std::atomic<std::uint64_t> done = 0;
    const auto work = [&](std::size_t i, const Progress& report) {
        for (; i < order.size(); i = next++) {
            scans[order[i]] = scan_tensor(tensors[order[i]], done, report, total, file);
        }
    };
    std::future<void> second;  // its destructor joins, even if this thread's part throws
    try {
        second = std::async(std::launch::async, [&] { work(next++, {}); });
    } catch (const std::system_error&) {  // no second thread is available: this one does everything
    }
    work(0, progress);
    if (second.valid()) second.get();
    return scans;
}

}  // namespace vgg19::model
