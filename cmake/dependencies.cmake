# SPDX-License-Identifier: MPL-2.0
# Libraries from Debian, found by pkg-config. The packages' names stand in deploy/packages.txt.
find_package (PkgConfig REQUIRED)
pkg_check_modules (SODIUM REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_search_module (MSGPACK REQUIRED IMPORTED_TARGET msgpack msgpack-c)
pkg_check_modules (ZMQ REQUIRED IMPORTED_TARGET libzmq>=4.3.4)
pkg_check_modules (CZMQ REQUIRED IMPORTED_TARGET libczmq>=4.2.1)
pkg_check_modules (SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.40)
pkg_check_modules (GIT2 REQUIRED IMPORTED_TARGET libgit2>=1.5)
pkg_check_modules (YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules (JANSSON REQUIRED IMPORTED_TARGET jansson>=2.14)
pkg_check_modules (SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules (CURL REQUIRED IMPORTED_TARGET libcurl>=7.85)
