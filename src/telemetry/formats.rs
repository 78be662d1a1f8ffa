//! Readers: a file for each family of exports, from its text to readings.

pub mod book;
pub mod cloud;
pub mod columns;
pub mod devices;
pub mod flows;
pub mod fortigate;
pub mod graphs;
pub mod json;
pub mod librenms;
pub mod meraki;
pub mod names;
pub mod prometheus;
pub mod rrd;
pub mod sheet;
pub mod values;
pub mod zabbix;
