// The HDF5 library, loaded by the process that reads a file: what it needs itself (libcurl, libcrypto,
// Kerberos) would otherwise be loaded at the start of every command.
#pragma once

#include <hdf5.h>
#include <hdf5_hl.h>

#include <string>

namespace vgg19::converter {

/// Creating one loads the library, which is never unloaded. Nothing may be called where problem() is not
/// empty.
class Hdf5Library {
  public:
    /// Which file or function is missing; empty if none is.
    const std::string& problem() const { return problem_; }

  private:
    void* load();
    void* symbol(const char* name);
    template <class Function>
    Function* get(const char* name) {
        return reinterpret_cast<Function*>(symbol(name));
    }

    const hid_t* variable(const char* name) { return static_cast<const hid_t*>(symbol(name)); }

    std::string problem_;
    void* library_ = load();

  public:
    decltype(H5open)* open = get<decltype(H5open)>("H5open");
    decltype(H5Eset_auto2)* set_error_handler = get<decltype(H5Eset_auto2)>("H5Eset_auto2");
    decltype(H5PLset_loading_state)* set_loading_state =
        get<decltype(H5PLset_loading_state)>("H5PLset_loading_state");
    decltype(H5LTopen_file_image)* open_image = get<decltype(H5LTopen_file_image)>("H5LTopen_file_image");
    decltype(H5Fclose)* close_file = get<decltype(H5Fclose)>("H5Fclose");
    decltype(H5Gopen2)* open_group = get<decltype(H5Gopen2)>("H5Gopen2");
    decltype(H5Gclose)* close_group = get<decltype(H5Gclose)>("H5Gclose");
    decltype(H5Literate)* iterate = get<decltype(H5Literate)>(iterate_name);
    decltype(H5Oopen)* open_object = get<decltype(H5Oopen)>("H5Oopen");
    decltype(H5Oclose)* close_object = get<decltype(H5Oclose)>("H5Oclose");
    decltype(H5Iget_type)* kind = get<decltype(H5Iget_type)>("H5Iget_type");
    decltype(H5Aexists)* attribute_exists = get<decltype(H5Aexists)>("H5Aexists");
    decltype(H5Aopen)* open_attribute = get<decltype(H5Aopen)>("H5Aopen");
    decltype(H5Aclose)* close_attribute = get<decltype(H5Aclose)>("H5Aclose");
    decltype(H5Aget_type)* attribute_type = get<decltype(H5Aget_type)>("H5Aget_type");
    decltype(H5Aget_space)* attribute_space = get<decltype(H5Aget_space)>("H5Aget_space");
    decltype(H5Aread)* read_attribute = get<decltype(H5Aread)>("H5Aread");
    decltype(H5Dget_type)* dataset_type = get<decltype(H5Dget_type)>("H5Dget_type");
    decltype(H5Dget_space)* dataset_space = get<decltype(H5Dget_space)>("H5Dget_space");
    decltype(H5Dget_create_plist)* dataset_properties =
        get<decltype(H5Dget_create_plist)>("H5Dget_create_plist");
    decltype(H5Dget_offset)* dataset_offset = get<decltype(H5Dget_offset)>("H5Dget_offset");
    decltype(H5Dread)* read_dataset = get<decltype(H5Dread)>("H5Dread");
    decltype(H5Pget_layout)* layout = get<decltype(H5Pget_layout)>("H5Pget_layout");
    decltype(H5Pget_external_count)* external_count =
        get<decltype(H5Pget_external_count)>("H5Pget_external_count");
    decltype(H5Pclose)* close_properties = get<decltype(H5Pclose)>("H5Pclose");
    decltype(H5Sget_simple_extent_npoints)* elements =
        get<decltype(H5Sget_simple_extent_npoints)>("H5Sget_simple_extent_npoints");
    decltype(H5Sget_simple_extent_ndims)* dimensions =
        get<decltype(H5Sget_simple_extent_ndims)>("H5Sget_simple_extent_ndims");
    decltype(H5Sget_simple_extent_dims)* sizes =
        get<decltype(H5Sget_simple_extent_dims)>("H5Sget_simple_extent_dims");
    decltype(H5Sget_simple_extent_type)* space_kind =
        get<decltype(H5Sget_simple_extent_type)>("H5Sget_simple_extent_type");
    decltype(H5Sclose)* close_space = get<decltype(H5Sclose)>("H5Sclose");
    decltype(H5Tget_class)* type_class = get<decltype(H5Tget_class)>("H5Tget_class");
    decltype(H5Tequal)* is_equal = get<decltype(H5Tequal)>("H5Tequal");
    decltype(H5Tget_size)* type_size = get<decltype(H5Tget_size)>("H5Tget_size");
    decltype(H5Tset_size)* set_type_size = get<decltype(H5Tset_size)>("H5Tset_size");
    decltype(H5Tget_order)* byte_order = get<decltype(H5Tget_order)>("H5Tget_order");
    decltype(H5Tget_ebias)* exponent_bias = get<decltype(H5Tget_ebias)>("H5Tget_ebias");
    decltype(H5Tis_variable_str)* is_variable_text = get<decltype(H5Tis_variable_str)>("H5Tis_variable_str");
    decltype(H5Tget_cset)* character_set = get<decltype(H5Tget_cset)>("H5Tget_cset");
    decltype(H5Tset_cset)* set_character_set = get<decltype(H5Tset_cset)>("H5Tset_cset");
    decltype(H5Tcopy)* copy_type = get<decltype(H5Tcopy)>("H5Tcopy");
    decltype(H5Tclose)* close_type = get<decltype(H5Tclose)>("H5Tclose");
    /// Types, which have values once open() has been called.
    const hid_t* float32 = variable("H5T_IEEE_F32LE_g");
    const hid_t* float64 = variable("H5T_IEEE_F64LE_g");
    const hid_t* text = variable("H5T_C_S1_g");

  private:
    /// Before version 1.12 there is one; later ones call that by another name.
    static constexpr const char* iterate_name = H5_VERSION_GE(1, 12, 0) ? "H5Literate1" : "H5Literate";
};

}  // namespace vgg19::converter
