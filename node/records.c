/* SPDX-License-Identifier: MPL-2.0 */
#include "node/records.h"

RECORD_TABLE (interval, INTERVAL_FIELDS);
RECORD_TABLE (improvement_row, IMPROVEMENT_ROW_FIELDS);
RECORD_TABLE (event_row, EVENT_ROW_FIELDS);
RECORD_TABLE (candidate_row, CANDIDATE_ROW_FIELDS);
RECORD_TABLE (snapshot_row, SNAPSHOT_ROW_FIELDS);
RECORD_TABLE (package_row, PACKAGE_ROW_FIELDS);
