#!/bin/sh
npm version "$1"
