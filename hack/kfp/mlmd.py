"""Serves ML Metadata by gRPC: ``python mlmd.py ADDRESS:PORT FILE``, in ml-metadata's environment.

The wheel holds the store's own core as a library whose methods take and return the messages of its
service, serialised; this is the service around it. KFP asks for nothing that the core lacks.
"""

# It runs in an environment of its own, whose packages are not in .venv.
# mypy: ignore-errors

from __future__ import annotations

import sys
import threading
from concurrent import futures

import grpc
from ml_metadata.metadata_store.pywrap.metadata_store_extension import metadata_store as core
from ml_metadata.proto import metadata_store_pb2

SERVICE = "ml_metadata.MetadataStoreService"
READ_WRITE_CREATE = 3
CODES = {code.value[0]: code for code in grpc.StatusCode}


class Service(grpc.GenericRpcHandler):
    """All methods of the core whose names begin with Get or Put."""

    def __init__(self, file: str) -> None:
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = file
        config.sqlite.connection_mode = READ_WRITE_CREATE
        options = metadata_store_pb2.MigrationOptions()
        self._store = core.CreateMetadataStore(
            config.SerializeToString(), options.SerializeToString()
        )
        self._lock = threading.Lock()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        service, _, name = details.method.strip("/").partition("/")
        method = getattr(core, name, None) if name.startswith(("Get", "Put")) else None
        if service != SERVICE or method is None:
            return None

        def call(request: bytes, context: grpc.ServicerContext) -> bytes:
            with self._lock:
                answer, message, code = method(self._store, request)
            if code:
                text = message.decode() if isinstance(message, bytes) else message
                context.abort(CODES[code], text)
            return bytes(answer)

        return grpc.unary_unary_rpc_method_handler(call)


if __name__ == "__main__":
    server = grpc.server(futures.ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Service(sys.argv[2]),))
    server.add_insecure_port(sys.argv[1])
    server.start()
    server.wait_for_termination()
