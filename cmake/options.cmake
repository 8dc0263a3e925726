# SPDX-License-Identifier: MPL-2.0
# Compiler options for every target of ours, as one interface target: evomesh::options.
# Asserts stay on in every preset: no -DNDEBUG anywhere.
set (CMAKE_C_FLAGS_RELEASE "-O2 -g")
set (CMAKE_C_FLAGS_DEBUG "-O1 -g")

option (EVOMESH_WERROR "Warnings are errors" OFF)
option (EVOMESH_HARDEN "Stack protector, fortified libc calls, PIE, read-only relocations" OFF)
set (EVOMESH_SANITIZERS "" CACHE STRING "Comma-separated sanitizers, e.g. address,undefined")

add_library (evomesh_options INTERFACE)
add_library (evomesh::options ALIAS evomesh_options)
set (CMAKE_C_STANDARD 11)
set (CMAKE_C_STANDARD_REQUIRED ON)
target_include_directories (evomesh_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options (evomesh_options INTERFACE
    # Same bits from the same arithmetic on every machine: no fused multiply-add.
    -ffp-contract=off -fno-common
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
    -Wmissing-prototypes -Wvla -Wundef -Wformat=2 -Wswitch-enum
    $<$<C_COMPILER_ID:GNU>:-Wlogical-op -Wduplicated-cond>
    $<$<BOOL:${EVOMESH_WERROR}>:-Werror>)

if (EVOMESH_SANITIZERS)
    target_compile_options (evomesh_options INTERFACE
        -fsanitize=${EVOMESH_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options (evomesh_options INTERFACE -fsanitize=${EVOMESH_SANITIZERS})
endif ()

if (EVOMESH_HARDEN)
    set (CMAKE_POSITION_INDEPENDENT_CODE ON)
    target_compile_options (evomesh_options INTERFACE -fstack-protector-strong -D_FORTIFY_SOURCE=2)
    target_link_options (evomesh_options INTERFACE -pie -Wl,-z,relro,-z,now)
endif ()

# evomesh_library (NAME sources... HEADERS headers... LINK targets...): one static library a folder,
# whose headers are each verified to compile alone.
function (evomesh_library name)
    cmake_parse_arguments (arg "" "" "SOURCES;HEADERS;LINK;PRIVATE" ${ARGN})
    add_library (evomesh_${name} STATIC ${arg_SOURCES})
    add_library (evomesh::${name} ALIAS evomesh_${name})
    target_sources (evomesh_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}
                    FILES ${arg_HEADERS})
    target_link_libraries (evomesh_${name} PUBLIC evomesh::options ${arg_LINK} PRIVATE ${arg_PRIVATE})
    set_target_properties (evomesh_${name} PROPERTIES C_EXTENSIONS OFF VERIFY_INTERFACE_HEADER_SETS ON)
endfunction ()
