//! System tests
