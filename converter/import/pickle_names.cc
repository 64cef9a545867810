// The names in a pickle's world: what a state dict may import, and what kinds of values are called in
// messages.
#include <array>

#include "converter/import/pickle.h"

namespace vgg19::converter {
namespace {

using Role = PickleGlobal::Role;
using model::DType;

constexpr PickleGlobal storage_global(std::string_view module, std::string_view name, DType dtype) {
    return {module, name, Role::storage, 0, 0, dtype};
}

constexpr std::array globals = {
    PickleGlobal{"collections", "OrderedDict", Role::ordered_dict, 0, 1, {}},
    PickleGlobal{"torch._utils", "_rebuild_tensor", Role::rebuild_tensor, 4, 4, {}},
    PickleGlobal{"torch._utils", "_rebuild_tensor_v2", Role::rebuild_tensor, 6, 7, {}},
    PickleGlobal{"torch._utils", "_rebuild_parameter", Role::rebuild_parameter, 3, 3, {}},
    storage_global("torch", "FloatStorage", DType::f32),
    storage_global("torch", "HalfStorage", DType::f16),
    storage_global("torch", "BFloat16Storage", DType::bf16),
    storage_global("torch", "DoubleStorage", DType::f64),
    storage_global("torch", "LongStorage", DType::i64),
    storage_global("torch", "IntStorage", DType::i32),
    storage_global("torch", "ShortStorage", DType::i16),
    storage_global("torch", "CharStorage", DType::i8),
    storage_global("torch", "ByteStorage", DType::u8),
    storage_global("torch", "BoolStorage", DType::boolean),
    storage_global("torch.cuda", "FloatStorage", DType::f32),
    storage_global("torch.cuda", "HalfStorage", DType::f16),
    storage_global("torch.cuda", "BFloat16Storage", DType::bf16),
    storage_global("torch.cuda", "DoubleStorage", DType::f64),
    storage_global("torch.cuda", "LongStorage", DType::i64),
};

}  // namespace

const PickleGlobal* find_pickle_global(std::string_view module, std::string_view name) {
    for (const PickleGlobal& global : globals) {
        if (global.module == module && global.name == name) return &global;
    }
    return nullptr;
}

std::string_view describe(PickleKind kind) {
    switch (kind) {
        case PickleKind::none:
            return "None";
        case PickleKind::boolean:
            return "a boolean";
        case PickleKind::integer:
            return "an integer";
        case PickleKind::big_integer:
            return "an integer beyond 64 bits";
        case PickleKind::real:
            return "a float";
        case PickleKind::text:
            return "a text";
        case PickleKind::bytes:
            return "bytes";
        case PickleKind::tuple:
            return "a tuple";
        case PickleKind::list:
            return "a list";
        case PickleKind::set:
            return "a set";
        case PickleKind::dict:
            return "a dict";
        case PickleKind::global:
            return "a global";
        case PickleKind::persistent_id:
            return "a storage";
        case PickleKind::tensor:
            return "a tensor";
    }
    return "something else";
}

}  // namespace vgg19::converter
