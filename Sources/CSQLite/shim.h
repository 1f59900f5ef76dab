// SQLite for Swift: its header, and what it offers by macros and variable arguments as functions.
#pragma once
#include <sqlite3.h>

// SQLITE_TRANSIENT: SQLite copies the bytes before these return.
static inline int sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_TRANSIENT);
}

static inline int sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 count) {
    return sqlite3_bind_text64(statement, index, text, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

// What a damaged or hostile file could say in its schema is not done.
static inline int sqlite_harden(sqlite3 *database) {
    int result = sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
    if (result != SQLITE_OK) return result;
    return sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
}

// A macro with arithmetic, which Swift does not see.
static inline int sqlite_file_moved(void) { return SQLITE_READONLY_DBMOVED; }
