// Open MPI for Swift. Functions and integer constants import as they are; what mpi.h defines as a
// macro around a cast (predefined handles and sentinels) does not, and gets a function here.
#ifndef CMPI_H
#define CMPI_H

#include <mpi.h>

static inline MPI_Comm CMPI_COMM_WORLD(void) { return MPI_COMM_WORLD; }
static inline MPI_Comm CMPI_COMM_SELF(void) { return MPI_COMM_SELF; }
static inline MPI_Comm CMPI_COMM_NULL(void) { return MPI_COMM_NULL; }
static inline MPI_Info CMPI_INFO_NULL(void) { return MPI_INFO_NULL; }
static inline MPI_Request CMPI_REQUEST_NULL(void) { return MPI_REQUEST_NULL; }
static inline MPI_Errhandler CMPI_ERRORS_RETURN(void) { return MPI_ERRORS_RETURN; }
static inline MPI_Status *CMPI_STATUS_IGNORE(void) { return MPI_STATUS_IGNORE; }
static inline void *CMPI_IN_PLACE(void) { return MPI_IN_PLACE; }

static inline MPI_Datatype CMPI_BYTE(void) { return MPI_BYTE; }
static inline MPI_Datatype CMPI_INT(void) { return MPI_INT; }
static inline MPI_Datatype CMPI_FLOAT(void) { return MPI_FLOAT; }
static inline MPI_Datatype CMPI_DOUBLE(void) { return MPI_DOUBLE; }
static inline MPI_Datatype CMPI_INT32_T(void) { return MPI_INT32_T; }
static inline MPI_Datatype CMPI_INT64_T(void) { return MPI_INT64_T; }

static inline MPI_Op CMPI_SUM(void) { return MPI_SUM; }
static inline MPI_Op CMPI_PROD(void) { return MPI_PROD; }
static inline MPI_Op CMPI_MIN(void) { return MPI_MIN; }
static inline MPI_Op CMPI_MAX(void) { return MPI_MAX; }

#endif
