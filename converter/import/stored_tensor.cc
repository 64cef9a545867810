#include "converter/import/stored_tensor.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "converter/transpose.h"
#include "kernels/common/float16.h"
#include "kernels/common/parallel.h"

namespace vgg19::converter {
namespace {

using model::DType;

/// The number of elements to read before pages are released.
constexpr std::size_t piece_elements = std::size_t{1} << 20;

template <class T>
T load(const std::byte* source) {
    T value;
    std::memcpy(&value, source, sizeof value);
    return value;
}

float from_bfloat(std::uint16_t upper_half) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(upper_half) << 16);
}

struct LoadF64 {
    double operator()(const std::byte* source) const { return load<double>(source); }
};
struct LoadF32 {
    float operator()(const std::byte* source) const { return load<float>(source); }
};
struct LoadF16 {
    float operator()(const std::byte* source) const {
        return kernels::float16_value(load<std::uint16_t>(source));
    }
};
struct LoadBf16 {
    float operator()(const std::byte* source) const { return from_bfloat(load<std::uint16_t>(source)); }
};

template <class T, class Load>
void read_contiguous(const StoredTensor& tensor, const model::MappedFile& mapping, std::span<T> values,
                     Load load_element) {
    const std::size_t element_bytes = model::dtype_bytes(tensor.dtype);
    for (std::size_t begin = 0; begin < values.size(); begin += piece_elements) {
        const std::size_t count = std::min(piece_elements, values.size() - begin);
        const std::span<const std::byte> piece =
            tensor.bytes.subspan(begin * element_bytes, count * element_bytes);
        for (std::size_t i = 0; i < count; ++i) {
            values[begin + i] = static_cast<T>(load_element(piece.data() + i * element_bytes));
        }
        mapping.release(piece);
    }
}

template <class T, class Load>
void read_strided(const StoredTensor& tensor, const model::MappedFile& mapping, std::span<T> values,
                  Load load_element) {
    const std::size_t element_bytes = model::dtype_bytes(tensor.dtype);
    const std::size_t dimensions = tensor.shape.size();
    std::vector<std::size_t> index(dimensions, 0);
    std::size_t position = 0;
    for (T& value : values) {
        value = static_cast<T>(load_element(tensor.bytes.data() + position * element_bytes));
        for (std::size_t d = dimensions; d-- > 0;) {  // advance to the next index, the last dimension fastest
            position += tensor.strides[d];
            if (++index[d] < tensor.shape[d]) break;
            position -= index[d] * tensor.strides[d];
            index[d] = 0;
        }
    }
    mapping.release(tensor.bytes);
}

template <class T, class Load>
void read_as(const StoredTensor& tensor, const model::MappedFile& mapping, std::span<T> values,
             Load load_element) {
    if (tensor.contiguous()) {
        read_contiguous(tensor, mapping, values, load_element);
    } else {
        read_strided(tensor, mapping, values, load_element);
    }
}

}  // namespace

std::size_t StoredTensor::elements() const {
    std::size_t product = 1;
    for (const std::size_t size : shape) product *= size;
    return product;
}

bool StoredTensor::contiguous() const {
    const std::vector<std::size_t> wanted = contiguous_strides(shape);
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (shape[i] != 1 && strides[i] != wanted[i]) return false;
    }
    return true;
}

std::vector<std::size_t> contiguous_strides(const std::vector<std::size_t>& shape) {
    std::vector<std::size_t> strides(shape.size());
    std::size_t stride = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
        strides[i] = stride;
        stride *= shape[i];
    }
    return strides;
}

std::string shape_text(const std::vector<std::size_t>& shape) {
    std::string text;
    for (const std::size_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
    return "(" + text + ")";
}

bool is_floating(DType dtype) {
    return dtype == DType::f16 || dtype == DType::bf16 || dtype == DType::f32 || dtype == DType::f64;
}

template <class T>
void read_values(const StoredTensor& tensor, const model::MappedFile& mapping, std::span<T> values) {
    switch (tensor.dtype) {
        case DType::f64:
            return read_as(tensor, mapping, values, LoadF64());
        case DType::f32:
            return read_as(tensor, mapping, values, LoadF32());
        case DType::f16:
            return read_as(tensor, mapping, values, LoadF16());
        case DType::bf16:
            return read_as(tensor, mapping, values, LoadBf16());
        default:
            return;  // excluded by the precondition
    }
}

template void read_values(const StoredTensor&, const model::MappedFile&, std::span<float>);
template void read_values(const StoredTensor&, const model::MappedFile&, std::span<double>);

void read_transposed(const StoredTensor& tensor, const model::MappedFile& mapping, std::span<float> values) {
    constexpr std::size_t rows_at_once = 16;  // one cache line of each output row
    const std::size_t rows = tensor.shape[0];
    if (rows > 1 &&
        tensor.strides[0] == 1) {  // stored as (columns, rows), or with the columns in another order
        StoredTensor transposed = tensor;
        std::rotate(transposed.shape.begin(), transposed.shape.begin() + 1, transposed.shape.end());
        std::rotate(transposed.strides.begin(), transposed.strides.begin() + 1, transposed.strides.end());
        return read_values<float>(transposed, mapping, values);
    }
    const std::size_t columns = tensor.elements() / rows;
    const std::size_t row_bytes = tensor.strides[0] * model::dtype_bytes(tensor.dtype);
    const auto parts = static_cast<std::size_t>(kernels::available_cpus());
    struct Piece {
        StoredTensor tensor;
        std::vector<float> values;
    };
    std::vector<Piece> pieces(parts, {tensor, std::vector<float>(rows_at_once * columns)});
    kernels::parallel_for(static_cast<int>(parts), parts, [&](std::size_t part) {
        Piece& piece = pieces[part];
        const kernels::Range range = kernels::part_of(rows, parts, part, rows_at_once);
        for (std::size_t row = range.begin; row < range.end; row += rows_at_once) {
            const std::size_t count = std::min(rows_at_once, range.end - row);
            piece.tensor.shape[0] = count;
            piece.tensor.bytes = tensor.bytes.subspan(row * row_bytes);
            read_values<float>(piece.tensor, mapping, std::span(piece.values).first(count * columns));
            transpose<float>({piece.values.data(), columns}, count, columns, {values.data() + row, rows});
        }
    });
}

}  // namespace vgg19::converter
