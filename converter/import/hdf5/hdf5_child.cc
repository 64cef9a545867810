#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <optional>

#include "converter/import/hdf5/hdf5_library.h"
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

class Walk {
  public:
    Walk(const Hdf5Library& hdf5, const Pipe& pipe, const std::vector<std::string>& attributes,
         std::size_t most_decoded)
        : hdf5_(hdf5), pipe_(pipe), attributes_(attributes), decoded_left_(most_decoded) {}

    void group(hid_t group, const std::string& path, int level);

  private:
    static herr_t visit(hid_t group, const char* name, const H5L_info_t* info, void* walk);
    std::optional<DType> floating_type(hid_t type) const;
    void object(hid_t parent, const char* name);
    void dataset(hid_t dataset, const std::string& path);
    void attribute(hid_t object, const std::string& path, const std::string& name);
    void unread(const std::string& path, const char* reason) const {
        pipe_.begin(Hdf5Record::unread);
        pipe_.text(path + " (" + reason + ')');
    }

    const Hdf5Library& hdf5_;
    const Pipe& pipe_;
    const std::vector<std::string>& attributes_;
    std::size_t decoded_left_;
    std::size_t objects_ = 0;
    std::string path_;
    int level_ = 0;
};

std::optional<DType> Walk::floating_type(hid_t type) const {
    constexpr std::size_t half_bytes = 2;
    constexpr std::size_t half_bias = 15;
    if (hdf5_.type_class(type) != H5T_FLOAT) return {};
    if (hdf5_.is_equal(type, *hdf5_.float32) > 0) return DType::f32;
    if (hdf5_.is_equal(type, *hdf5_.float64) > 0) return DType::f64;
    const bool is_half = hdf5_.type_size(type) == half_bytes && hdf5_.byte_order(type) == H5T_ORDER_LE &&
                         hdf5_.exponent_bias(type) == half_bias;
    return is_half ? std::optional(DType::f16) : std::nullopt;
}

void Walk::attribute(hid_t object, const std::string& path, const std::string& name) {
    if (hdf5_.attribute_exists(object, name.c_str()) <= 0) return;
    const Handle attribute(hdf5_.open_attribute(object, name.c_str(), H5P_DEFAULT), hdf5_.close_attribute);
    const Handle type(hdf5_.attribute_type(attribute.id()), hdf5_.close_type);
    const Handle space(hdf5_.attribute_space(attribute.id()), hdf5_.close_space);
    const hssize_t count = hdf5_.elements(space.id());
    if (hdf5_.type_class(type.id()) != H5T_STRING || count <= 0 ||
        static_cast<std::size_t>(count) > most_objects) {
        return;
    }
    const auto texts = static_cast<std::size_t>(count);
    pipe_.begin(Hdf5Record::attribute);
    pipe_.text(path);
    pipe_.text(name);
    pipe_.number(texts);
    if (hdf5_.is_variable_text(type.id()) > 0) {
        std::vector<char*> values(texts, nullptr);
        const Handle memory(hdf5_.copy_type(*hdf5_.text), hdf5_.close_type);
        hdf5_.set_type_size(memory.id(), H5T_VARIABLE);
        hdf5_.set_character_set(memory.id(), hdf5_.character_set(type.id()));
        if (hdf5_.read_attribute(attribute.id(), memory.id(), values.data()) < 0) give_up();
        for (const char* const value : values) pipe_.text(value == nullptr ? "" : value);
        return;
    }
    const std::size_t length = hdf5_.type_size(type.id());
    if (length == 0 || length > longest_attribute / texts) give_up();
    std::string values(length * texts, '\0');
    if (hdf5_.read_attribute(attribute.id(), type.id(), values.data()) < 0) give_up();
    for (std::size_t i = 0; i < texts; ++i) {
        const std::string_view value = std::string_view(values).substr(i * length, length);
        pipe_.text(value.substr(0, value.find('\0')));
    }
}

void Walk::dataset(hid_t dataset, const std::string& path) {
    const Handle type(hdf5_.dataset_type(dataset), hdf5_.close_type);
    const Handle space(hdf5_.dataset_space(dataset), hdf5_.close_space);
    const Handle properties(hdf5_.dataset_properties(dataset), hdf5_.close_properties);
    if (!type.is_valid() || !space.is_valid() || !properties.is_valid()) give_up();
    const std::optional<DType> dtype = floating_type(type.id());
    const int rank = hdf5_.dimensions(space.id());
    if (!dtype) return unread(path, "not floating numbers in little endian");
    if (hdf5_.space_kind(space.id()) != H5S_SIMPLE && rank != 0) return unread(path, "no array");
    if (rank < 0 || rank > most_dimensions) return unread(path, "too many dimensions");
    std::array<hsize_t, most_dimensions> sizes{};
    hdf5_.sizes(space.id(), sizes.data(), nullptr);
    const H5D_layout_t layout = hdf5_.layout(properties.id());
    if (layout == H5D_VIRTUAL || hdf5_.external_count(properties.id()) != 0) {
        return unread(path, "in another file");
    }
    const haddr_t offset = layout == H5D_CONTIGUOUS ? hdf5_.dataset_offset(dataset) : HADDR_UNDEF;
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
        if (hdf5_.read_dataset(dataset, type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, decoded.data()) < 0) {
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
    const Handle object(hdf5_.open_object(parent, name, H5P_DEFAULT), hdf5_.close_object);
    if (!object.is_valid()) give_up();
    const std::string path = path_.empty() ? name : path_ + '/' + name;
    const H5I_type_t kind = hdf5_.kind(object.id());
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
    if (hdf5_.iterate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, this) < 0) give_up();
    path_ = path_before;
    level_ = level_before;
}

/// Has the kernel end this process when its parent is no more.
void end_with(pid_t parent) {
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != parent) give_up();  // it was already gone
}

/// Beyond what the parent has, whose memory the child shares.
void limit_resources(std::size_t bytes, unsigned seconds) {
    for (const int signal_number :
         {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU, SIGALRM, SIGINT, SIGTERM}) {
        signal(signal_number, SIG_DFL);
    }
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    const rlimit time{seconds, seconds + 1};  // the second limit kills, whatever the library does
    setrlimit(RLIMIT_CPU, &time);
    alarm(hdf5_clock_factor * seconds);  // if it waits for something
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

void read_hdf5_as_child(std::span<const std::byte> file, const std::vector<std::string>& attributes, int pipe,
                        pid_t parent) {
    end_with(parent);
    const Pipe records(pipe);
    const Hdf5Library hdf5;  // before the limits: it brings libraries of its own
    if (!hdf5.problem().empty() || hdf5.open() < 0) {
        records.begin(Hdf5Record::absent);
        records.text(hdf5.problem());
        _exit(0);
    }
    const std::size_t most_decoded = std::max(hdf5_least_memory, hdf5_memory_factor * file.size());
    limit_resources(2 * most_decoded + hdf5_least_memory, hdf5_seconds(file.size()));
    hdf5.set_error_handler(H5E_DEFAULT, nullptr, nullptr);  // prints nothing
    hdf5.set_loading_state(0);                              // runs no filters from elsewhere
    // The library only reads, though its parameter does not say so.
    auto* const bytes = const_cast<std::byte*>(file.data());
    const Handle opened(
        hdf5.open_image(bytes, file.size(), H5LT_FILE_IMAGE_DONT_COPY | H5LT_FILE_IMAGE_DONT_RELEASE),
        hdf5.close_file);
    if (!opened.is_valid()) {
        records.begin(Hdf5Record::failure);
        records.text("damaged: expected an HDF5 file, found one that the HDF5 library cannot open");
        _exit(0);
    }
    const Handle root(hdf5.open_group(opened.id(), "/", H5P_DEFAULT), hdf5.close_group);
    if (!root.is_valid()) give_up();
    Walk(hdf5, records, attributes, most_decoded).group(root.id(), "", 0);
    records.begin(Hdf5Record::end);
    _exit(0);
}

}  // namespace vgg19::converter
