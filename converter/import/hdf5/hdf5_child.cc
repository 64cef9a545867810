#include <hdf5.h>
#include <hdf5_hl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <optional>

#include "converter/import/hdf5/hdf5_records.h"
#include "engine/model/safetensors.h"

namespace vgg19::converter {
namespace {

using model::DType;

constexpr int most_levels = 16;
constexpr std::size_t most_objects = 20'000;
constexpr std::size_t longest_attribute = std::size_t{16} << 20U;
constexpr int most_dimensions = 8;

/// Ends the process: the parent sees that the records do not end.
[[noreturn]] void give_up() {
    _exit(1);
}

class Pipe {
  public:
    explicit Pipe(int descriptor) : descriptor_(descriptor) {}

    void bytes(const void* data, std::size_t size) const {
        const auto* next = static_cast<const char*>(data);
        while (size > 0) {
            const ssize_t written = write(descriptor_, next, size);
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) give_up();
            next += written;
            size -= static_cast<std::size_t>(written);
        }
    }
    void number(std::uint64_t value) const { bytes(&value, sizeof value); }
    void text(std::string_view value) const {
        number(value.size());
        bytes(value.data(), value.size());
    }
    void begin(Hdf5Record record) const { number(static_cast<std::uint64_t>(record)); }

  private:
    int descriptor_;
};

/// An identifier of the library's, closed at the end.
class Handle {
  public:
    using Close = herr_t (*)(hid_t);
    Handle(hid_t id, Close close) : id_(id), close_(close) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() {
        if (id_ >= 0) close_(id_);
    }
    hid_t id() const { return id_; }
    bool is_valid() const { return id_ >= 0; }

  private:
    hid_t id_;
    Close close_;
};

std::optional<DType> floating_type(hid_t type) {
    constexpr std::size_t half_bytes = 2;
    constexpr std::size_t half_bias = 15;
    if (H5Tget_class(type) != H5T_FLOAT) return {};
    if (H5Tequal(type, H5T_IEEE_F32LE) > 0) return DType::f32;
    if (H5Tequal(type, H5T_IEEE_F64LE) > 0) return DType::f64;
    const bool is_half = H5Tget_size(type) == half_bytes && H5Tget_order(type) == H5T_ORDER_LE &&
                         H5Tget_ebias(type) == half_bias;
    return is_half ? std::optional(DType::f16) : std::nullopt;
}

class Walk {
  public:
    Walk(const Pipe& pipe, const std::vector<std::string>& attributes, std::size_t most_decoded)
        : pipe_(pipe), attributes_(attributes), decoded_left_(most_decoded) {}

    void group(hid_t group, const std::string& path, int level);

  private:
    static herr_t visit(hid_t group, const char* name, const H5L_info_t* info, void* walk);
    void object(hid_t parent, const char* name);
    void dataset(hid_t dataset, const std::string& path);
    void attribute(hid_t object, const std::string& path, const std::string& name);
    void unread(const std::string& path, const char* reason) const {
        pipe_.begin(Hdf5Record::unread);
        pipe_.text(path + " (" + reason + ')');
    }

    const Pipe& pipe_;
    const std::vector<std::string>& attributes_;
    std::size_t decoded_left_;
    std::size_t objects_ = 0;
    std::string path_;
    int level_ = 0;
};

void Walk::attribute(hid_t object, const std::string& path, const std::string& name) {
    if (H5Aexists(object, name.c_str()) <= 0) return;
    const Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose);
    const Handle type(H5Aget_type(attribute.id()), H5Tclose);
    const Handle space(H5Aget_space(attribute.id()), H5Sclose);
    const hssize_t count = H5Sget_simple_extent_npoints(space.id());
    if (H5Tget_class(type.id()) != H5T_STRING || count <= 0 ||
        static_cast<std::size_t>(count) > most_objects) {
        return;
    }
    const auto texts = static_cast<std::size_t>(count);
    pipe_.begin(Hdf5Record::attribute);
    pipe_.text(path);
    pipe_.text(name);
    pipe_.number(texts);
    if (H5Tis_variable_str(type.id()) > 0) {
        std::vector<char*> values(texts, nullptr);
        const Handle memory(H5Tcopy(H5T_C_S1), H5Tclose);
        H5Tset_size(memory.id(), H5T_VARIABLE);
        H5Tset_cset(memory.id(), H5Tget_cset(type.id()));
        if (H5Aread(attribute.id(), memory.id(), values.data()) < 0) give_up();
        for (const char* const value : values) pipe_.text(value == nullptr ? "" : value);
        return;
    }
    const std::size_t length = H5Tget_size(type.id());
    if (length == 0 || length > longest_attribute / texts) give_up();
    std::string values(length * texts, '\0');
    if (H5Aread(attribute.id(), type.id(), values.data()) < 0) give_up();
    for (std::size_t i = 0; i < texts; ++i) {
        const std::string_view value = std::string_view(values).substr(i * length, length);
        pipe_.text(value.substr(0, value.find('\0')));
    }
}

void Walk::dataset(hid_t dataset, const std::string& path) {
    const Handle type(H5Dget_type(dataset), H5Tclose);
    const Handle space(H5Dget_space(dataset), H5Sclose);
    const Handle properties(H5Dget_create_plist(dataset), H5Pclose);
    if (!type.is_valid() || !space.is_valid() || !properties.is_valid()) give_up();
    const std::optional<DType> dtype = floating_type(type.id());
    const int rank = H5Sget_simple_extent_ndims(space.id());
    if (!dtype) return unread(path, "not floating numbers in little endian");
    if (H5Sget_simple_extent_type(space.id()) != H5S_SIMPLE && rank != 0) return unread(path, "no array");
    if (rank < 0 || rank > most_dimensions) return unread(path, "too many dimensions");
    std::array<hsize_t, most_dimensions> sizes{};
    H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr);
    const H5D_layout_t layout = H5Pget_layout(properties.id());
    if (layout == H5D_VIRTUAL || H5Pget_external_count(properties.id()) != 0) {
        return unread(path, "in another file");
    }
    const haddr_t offset = layout == H5D_CONTIGUOUS ? H5Dget_offset(dataset) : HADDR_UNDEF;
    std::vector<char> decoded;
    if (offset == HADDR_UNDEF) {
        std::size_t bytes = model::dtype_bytes(*dtype);
        for (int i = 0; i < rank; ++i) {
            const hsize_t size = sizes[static_cast<std::size_t>(i)];
            if (size != 0 && bytes > decoded_left_ / size) return unread(path, "too large for the file");
            bytes *= size;
        }
        decoded_left_ -= bytes;
        decoded.resize(bytes);
        if (H5Dread(dataset, type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, decoded.data()) < 0) {
            return unread(path, "cannot be decoded");
        }
    }
    pipe_.begin(Hdf5Record::tensor);
    pipe_.text(path);
    pipe_.number(static_cast<std::uint64_t>(*dtype));
    pipe_.number(static_cast<std::uint64_t>(rank));
    for (int i = 0; i < rank; ++i) pipe_.number(sizes[static_cast<std::size_t>(i)]);
    pipe_.number(offset == HADDR_UNDEF ? hdf5_decoded : offset);
    pipe_.number(decoded.size());
    pipe_.bytes(decoded.data(), decoded.size());
}

void Walk::object(hid_t parent, const char* name) {
    if (++objects_ > most_objects) {
        pipe_.begin(Hdf5Record::failure);
        pipe_.text("expected a network's weights, found more groups and arrays than such files have");
        _exit(0);
    }
    const Handle object(H5Oopen(parent, name, H5P_DEFAULT), H5Oclose);
    if (!object.is_valid()) give_up();
    const std::string path = path_.empty() ? name : path_ + '/' + name;
    const H5I_type_t kind = H5Iget_type(object.id());
    if (kind == H5I_DATASET) return dataset(object.id(), path);
    if (kind != H5I_GROUP || level_ == most_levels) return;
    group(object.id(), path, level_ + 1);
}

herr_t Walk::visit(hid_t group, const char* name, const H5L_info_t* info, void* walk) {
    if (info->type == H5L_TYPE_HARD) static_cast<Walk*>(walk)->object(group, name);
    return 0;
}

void Walk::group(hid_t group, const std::string& path, int level) {
    for (const std::string& name : attributes_) attribute(group, path, name);
    const std::string path_before = std::exchange(path_, path);
    const int level_before = std::exchange(level_, level);
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, this) < 0) give_up();
    path_ = path_before;
    level_ = level_before;
}

/// Beyond what the parent has, whose memory the child shares.
void limit_resources(std::size_t bytes) {
    constexpr rlim_t seconds = 60;
    for (const int signal_number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU, SIGINT, SIGTERM}) {
        signal(signal_number, SIG_DFL);
    }
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    const rlimit time{seconds, seconds};
    setrlimit(RLIMIT_CPU, &time);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(VGG19_SANITIZED)
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t memory = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + bytes;
    const rlimit space{memory, memory};
    if (pages > 0) setrlimit(RLIMIT_AS, &space);
#else
    static_cast<void>(bytes);  // the sanitizers' shadow memory takes terabytes of addresses
#endif
}

}  // namespace

void read_hdf5_as_child(std::span<const std::byte> file, const std::vector<std::string>& attributes,
                        int pipe) {
    const std::size_t most_decoded = std::max(hdf5_least_memory, hdf5_memory_factor * file.size());
    limit_resources(2 * most_decoded + hdf5_least_memory);
    H5Eset_auto(H5E_DEFAULT, nullptr, nullptr);  // prints nothing
    H5PLset_loading_state(0);                    // runs no filters from elsewhere
    const Pipe records(pipe);
    // The library only reads, though its parameter does not say so.
    auto* const bytes = const_cast<std::byte*>(file.data());
    const Handle opened(
        H5LTopen_file_image(bytes, file.size(), H5LT_FILE_IMAGE_DONT_COPY | H5LT_FILE_IMAGE_DONT_RELEASE),
        H5Fclose);
    if (!opened.is_valid()) {
        records.begin(Hdf5Record::failure);
        records.text("damaged: expected an HDF5 file, found one that the HDF5 library cannot open");
        _exit(0);
    }
    const Handle root(H5Gopen2(opened.id(), "/", H5P_DEFAULT), H5Gclose);
    if (!root.is_valid()) give_up();
    Walk(records, attributes, most_decoded).group(root.id(), "", 0);
    records.begin(Hdf5Record::end);
    _exit(0);
}

}  // namespace vgg19::converter
