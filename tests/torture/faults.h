/* What the parts of the preloaded library share. */
#pragma once
#include <stdint.h>

/* In the order of `KINDS` in fault_library.py. */
enum kind {
    allocation, /* malloc and its relatives, mmap of anonymous memory */
    open_file,
    read_file,
    write_file,
    sync_file,
    rename_file, /* and links */
    map_file,
    status_of_file,
    remove_file,
    close_file,
    resize_file,
    list_folder,
    create_thread,
    accept_connection,
    receive_data,
    send_data,
    wait_for_events,
    create_descriptor, /* sockets, event and timer descriptors, pipes */
    start_process,
    number_of_kinds
};

struct fault {
    uint64_t calls;
    uint64_t first, last; /* these calls fail, counted from 1; none if first is 0 */
    uint64_t failed;
    int64_t error; /* an errno; 0: transfers less than was asked for */
};

/* Counts a call; 0 if it is to be made, an errno (also in errno) if it is to fail, -1 if it is to transfer
 * less. */
int fault_due(enum kind kind);
