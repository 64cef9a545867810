#include "converter/import/torch_types.h"

#include <array>

namespace vgg19::converter {
namespace {

using model::DType;

struct StorageName {
    std::string_view storage;
    TorchType type;
};

constexpr std::array storages = {
    StorageName{"FloatStorage", {"float32", 4, DType::f32}},
    StorageName{"HalfStorage", {"float16", 2, DType::f16}},
    StorageName{"BFloat16Storage", {"bfloat16", 2, DType::bf16}},
    StorageName{"DoubleStorage", {"float64", 8, DType::f64}},
    StorageName{"LongStorage", {"int64", 8, DType::i64}},
    StorageName{"IntStorage", {"int32", 4, DType::i32}},
    StorageName{"ShortStorage", {"int16", 2, DType::i16}},
    StorageName{"CharStorage", {"int8", 1, DType::i8}},
    StorageName{"ByteStorage", {"uint8", 1, DType::u8}},
    StorageName{"BoolStorage", {"bool", 1, DType::boolean}},
    StorageName{"ComplexFloatStorage", {"complex64", 8, {}}},
    StorageName{"ComplexDoubleStorage", {"complex128", 16, {}}},
    StorageName{"ComplexHalfStorage", {"complex32", 4, {}}},
    StorageName{"QInt8Storage", {"qint8", 1, {}, true}},
    StorageName{"QUInt8Storage", {"quint8", 1, {}, true}},
    StorageName{"QInt32Storage", {"qint32", 4, {}, true}},
    StorageName{"QUInt4x2Storage", {"quint4x2", 1, {}, true}},
    StorageName{"QUInt2x4Storage", {"quint2x4", 1, {}, true}},
    StorageName{"UntypedStorage", {"bytes without a type", 1, {}, false, true}},
};

/// Element types without a storage type of their own; some have two names.
constexpr std::array more_types = {
    TorchType{"float", 4, DType::f32},
    TorchType{"half", 2, DType::f16},
    TorchType{"double", 8, DType::f64},
    TorchType{"long", 8, DType::i64},
    TorchType{"int", 4, DType::i32},
    TorchType{"short", 2, DType::i16},
    TorchType{"cfloat", 8, {}},
    TorchType{"cdouble", 16, {}},
    TorchType{"uint16", 2, {}},
    TorchType{"uint32", 4, {}},
    TorchType{"uint64", 8, {}},
    TorchType{"float8_e4m3fn", 1, {}},
    TorchType{"float8_e4m3fnuz", 1, {}},
    TorchType{"float8_e5m2", 1, {}},
    TorchType{"float8_e5m2fnuz", 1, {}},
    TorchType{"float8_e8m0fnu", 1, {}},
    TorchType{"float4_e2m1fn_x2", 1, {}},
    TorchType{"bits8", 1, {}},
    TorchType{"bits16", 2, {}},
    TorchType{"bits1x8", 1, {}},
    TorchType{"bits2x4", 1, {}},
    TorchType{"bits4x2", 1, {}},
    TorchType{"int1", 1, {}},
    TorchType{"int2", 1, {}},
    TorchType{"int3", 1, {}},
    TorchType{"int4", 1, {}},
    TorchType{"int5", 1, {}},
    TorchType{"int6", 1, {}},
    TorchType{"int7", 1, {}},
    TorchType{"uint1", 1, {}},
    TorchType{"uint2", 1, {}},
    TorchType{"uint3", 1, {}},
    TorchType{"uint4", 1, {}},
    TorchType{"uint5", 1, {}},
    TorchType{"uint6", 1, {}},
    TorchType{"uint7", 1, {}},
};

}  // namespace

/// For any device: torch.FloatStorage, torch.cuda.FloatStorage, torch.xpu.FloatStorage.
const TorchType* find_storage_type(const PickleGlobal& global) {
    if (global.module != "torch" && !global.module.starts_with("torch.")) return nullptr;
    for (const StorageName& known : storages) {
        if (known.storage == global.name) return &known.type;
    }
    return nullptr;
}

const TorchType* find_element_type(const PickleGlobal& global) {
    if (global.module != "torch") return nullptr;
    for (const StorageName& known : storages) {
        if (!known.type.untyped && known.type.name == global.name) return &known.type;
    }
    for (const TorchType& known : more_types) {
        if (known.name == global.name) return &known;
    }
    return nullptr;
}

}  // namespace vgg19::converter
